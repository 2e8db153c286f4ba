"""Planner of discovery: modes, names, and what is read of each kind."""

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Origin
from shared.model.profile import Delta, DiscoveryPolicy
from shared.planning import discovery as plan

ADMINS = Origin(kind="group", id="g1", name="Admins")
STAFF = Origin(kind="group", id="g2", name="Staff")
MODES = ("groups", "roles")


class TestSearch:
    def test_defaults_to_the_first_mode_and_to_everything(self) -> None:
        assert plan.search({}, MODES) == plan.Search(configuration="", mode="groups", names=())

    def test_names_are_trimmed_and_named_once(self) -> None:
        asked = plan.search({"filter": [" Staff ", "Staff", "", "O'Brien's"]}, MODES)
        assert asked.names == ("Staff", "O'Brien's")

    def test_a_mode_that_the_product_lacks(self) -> None:
        with pytest.raises(NeedsHuman, match="roles") as refused:
            plan.search({"search_mode": "roles"}, ("groups",))
        assert refused.value.code == "INPUT_INVALID"


class TestSources:
    wanted = plan.Search(configuration="", mode="groups", names=("Staff", "Admins"))

    def test_one_for_each_name(self) -> None:
        read = plan.sources(self.wanted, {"Staff": [STAFF], "Admins": [ADMINS]})
        assert read == (ADMINS, STAFF)

    def test_a_group_named_twice_is_read_once(self) -> None:
        assert plan.sources(self.wanted, {"Staff": [STAFF], "Admins": [STAFF]}) == (STAFF,)

    def test_every_missing_name_is_told(self) -> None:
        with pytest.raises(NeedsHuman, match="'Staff', 'Admins'") as refused:
            plan.sources(self.wanted, {"Staff": []})
        assert refused.value.code == "FILTER_NOT_FOUND"

    def test_ambiguous_names_are_told_with_the_ids_to_choose_from(self) -> None:
        twin = replace(STAFF, id="g3")
        with pytest.raises(NeedsHuman, match=r"'Staff' is Staff \(g2\) or Staff \(g3\)") as refused:
            plan.sources(self.wanted, {"Staff": [STAFF, twin], "Admins": [ADMINS]})
        assert refused.value.code == "FILTER_AMBIGUOUS"


ALL = DiscoveryPolicy(
    modes=("all",),
    entities=("user", "group", "directoryRole", "servicePrincipal"),
    navigation=("members", "owners"),
    delta=Delta(cookie_per_entity=True),
)


class TestReadings:
    @pytest.mark.parametrize(
        ("modes", "mode"),
        [
            (("all",), "all"),
            (("users", "groups", "all"), "all"),
            (("users", "groups"), "all"),
            (("users",), "users"),
            (("groups", "roles"), "groups"),
        ],
    )
    def test_without_a_choice_the_product_gets_all_it_can_take(
        self, modes: tuple[str, ...], mode: str
    ) -> None:
        assert plan.search({}, modes).mode == mode

    @pytest.mark.requirement("N-20")
    def test_every_kind_with_the_links_it_has(self) -> None:
        read = {one.kind: one for one in plan.readings(plan.search({}, ("all",)), ALL, {})}
        assert {kind: one.navigation for kind, one in read.items()} == {
            "user": (),
            "group": ("members", "owners"),
            "directoryRole": ("members",),
            "servicePrincipal": (),
        }
        assert all(one.tracked for one in read.values())

    def test_users_alone(self) -> None:
        policy = replace(ALL, modes=("users",), delta=None)
        (read,) = plan.readings(plan.search({}, ("users",)), policy, {})
        assert (read.kind, read.tracked) == ("user", False)

    def test_another_selection_is_another_cookie(self) -> None:
        wanted = plan.search({}, ("all",))
        one, other = (
            plan.readings(wanted, ALL, {"attributes": names})[0].key
            for names in (["jobTitle"], ["department"])
        )
        assert one != other

    def test_the_requests_attributes_go_before_the_profiles(self) -> None:
        policy = replace(ALL, attributes=("jobTitle",))
        wanted = plan.search({}, ("all",))
        assert plan.readings(wanted, policy, {})[0].attributes == ("jobTitle",)
        asked = {"attributes": ["department"]}
        assert plan.readings(wanted, policy, asked)[0].attributes == ("department",)

    @pytest.mark.requirement("N-23")
    @pytest.mark.diagnosis("ATTRIBUTE_NOT_LISTABLE")
    @pytest.mark.parametrize("name", ["aboutMe", "skills", "mailboxSettings"])
    def test_what_graph_gives_only_of_one_user(self, name: str) -> None:
        with pytest.raises(NeedsHuman, match=name) as refused:
            plan.readings(plan.search({}, ("all",)), ALL, {"attributes": ["jobTitle", name]})
        assert refused.value.code == "ATTRIBUTE_NOT_LISTABLE"

    @pytest.mark.parametrize("names", [["shoeSize"], ["JobTitle"], ["city"] * 21])
    def test_what_is_no_selection(self, names: list[str]) -> None:
        with pytest.raises(NeedsHuman) as refused:
            plan.readings(plan.search({}, ("all",)), ALL, {"attributes": names})
        assert refused.value.code == "INPUT_INVALID"
