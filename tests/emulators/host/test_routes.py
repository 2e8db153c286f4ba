"""Route templates as ASP.NET reads them."""

import pytest

from emulators.host.errors import HostStartError
from emulators.host.http_routes import Route, Template, find


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("a/{x}", "a/b", {"x": "b"}),
        ("a/{x}", "A/b%2Fc%20d", {"x": "b/c d"}),
        ("a/{x}", "a", None),
        ("a/{x}/b:c", "a/1/b:c", {"x": "1"}),  # a colon means something only within braces
        ("a/{x}/b:c", "a/1/b%3Ac", {"x": "1"}),
        ("a/{x}/b:c", "a/1/b", None),
        ("a/{x}", "a/b/c", None),
        ("a/{x?}", "a", {}),
        ("a/{x=7}", "a", {"x": "7"}),
        ("a/{x:int=7}/b", "a/8/b", {"x": "8"}),
        ("a/{*rest}", "a/b/c", {"rest": "b/c"}),
        ("a/{**rest}", "a", {}),
        ("v{x}.json", "v12.json", {"x": "12"}),
        ("v{x}.json", "w12.json", None),
        ("{x:int}", "-5", {"x": "-5"}),
        ("{x:int}", "2147483648", None),
        ("{x:long}", "2147483648", {"x": "2147483648"}),
        ("{x:int?}", "", {}),
        ("{x:bool}", "True", {"x": "True"}),
        ("{x:bool}", "1", None),
        ("{x:guid}", "ca761232-ed42-11ce-bacd-00aa0057b223", True),
        ("{x:guid}", "ca761232", None),
        ("{x:alpha}", "abc", {"x": "abc"}),
        ("{x:alpha}", "ab1", None),
        ("{x:double}", "1.5", {"x": "1.5"}),
        ("{x:length(3)}", "abc", {"x": "abc"}),
        ("{x:length(2,3)}", "abcd", None),
        ("{x:minlength(2)}", "a", None),
        ("{x:maxlength(2)}", "ab", {"x": "ab"}),
        ("{x:min(5)}", "4", None),
        ("{x:max(5)}", "5", {"x": "5"}),
        ("{x:range(1,5)}", "6", None),
        ("{x:int:range(1,5)}", "3", {"x": "3"}),
        ("{x:regex(^[a-c]{{2}}:d$)}", "ab:d", {"x": "ab:d"}),
        ("{x:regex(^a/b$)}", "a%2Fb", {"x": "a/b"}),
        ("{x:regex(^[a-c]{{2}}$)}", "abc", None),
    ],
)
def test_match(template: str, path: str, expected: object) -> None:
    found = Template(template).match(path)
    assert (found is not None) if expected is True else (found == expected)


@pytest.mark.parametrize("template", ["{x:nothing}", "{x:length}", "{}", "{x y}", "a/{x"])
def test_refused(template: str) -> None:
    with pytest.raises(HostStartError):
        Template(template)


def test_precedence() -> None:
    texts = ["{*all}", "{x}", "{x:int}", "v{x}", "v1"]
    routes = [Route(Template(text), frozenset(), text) for text in texts]
    routes.sort(key=lambda route: route.template.precedence)
    answers = {path: find(routes, "GET", path) for path in ("v1", "v2", "3", "w", "w/w")}
    assert {path: found[0] for path, found in answers.items() if found} == {
        "v1": "v1",
        "v2": "v{x}",
        "3": "{x:int}",
        "w": "{x}",
        "w/w": "{*all}",
    }


def test_method_decides_between_routes() -> None:
    routes = [
        Route(Template("a"), frozenset({"GET"}), "read"),
        Route(Template("a"), frozenset({"POST"}), "write"),
    ]
    assert find(routes, "POST", "a") == ("write", {})
    assert find(routes, "DELETE", "a") is None
