"""The linter's list of names: consistent, and completed by what a tenant says."""

import msgspec
import pytest
import yaml

from shared.model.directory import Kind
from shared.model.profile import RESOURCES
from shared.profile.lint.names import FILE, Names, names
from shared.profile.lint.refresh import refresh

TEXT = """# A comment.
permissions:
  microsoft-graph: {complete: false, both: [User.Read.All]}
  exchange-online: {complete: false}
roles: {complete: false, names: [Global Reader]}
"""


def answer(app_id: str) -> bytes:
    return msgspec.json.encode(
        {
            "@odata.context": "x",
            "appId": app_id,
            "appRoles": [
                {"value": "B.Both", "isEnabled": True},
                {"value": "A.Application", "isEnabled": True},
                {"value": "A.Disabled", "isEnabled": False},
                {"value": "", "isEnabled": True},
            ],
            "oauth2PermissionScopes": [
                {"value": "D.Delegated", "isEnabled": True},
                {"value": "B.Both", "isEnabled": True},
            ],
        }
    )


def test_a_tenants_answer_makes_an_api_complete():
    text = refresh(TEXT, answer(RESOURCES["microsoft-graph"]))
    assert text.startswith("# A comment.\n")
    known = msgspec.convert(yaml.safe_load(text), Names)
    graph = known.permissions["microsoft-graph"]
    assert graph.complete
    assert graph.of(Kind.APPLICATION) == ("B.Both", "A.Application")
    assert graph.of(Kind.DELEGATED) == ("B.Both", "D.Delegated")
    assert not known.permissions["exchange-online"].complete
    assert known.roles.names == ("Global Reader",)


@pytest.mark.parametrize("wrong", [answer("another"), b"{}", b"[", b'{"value": []}'])
def test_other_answers_are_refused(wrong):
    with pytest.raises(ValueError, match=r"no alias|missing|Expected `object`"):
        refresh(TEXT, wrong)


def test_the_list_names_each_permission_once_and_known_apis_only():
    document = yaml.safe_load(FILE.read_text("utf-8"))
    assert set(document["permissions"]) <= set(RESOURCES)
    for api in names().permissions.values():
        listed = [*api.both, *api.application, *api.delegated]
        assert len({name.lower() for name in listed}) == len(listed)
    roles = names().roles.names
    assert len(set(roles)) == len(roles)
