"""What is left of the Graph SDK is enough: how it is used, and that the rules follow imports."""

import ast
from pathlib import Path

import pytest

from release.locks import ROOT
from release.reach import SENDING, Reach

ADAPTERS = sorted((ROOT / "shared").rglob("*.py"))


def awaited(tree: ast.Module) -> list[ast.Attribute]:
    calls = [n.value for n in ast.walk(tree) if isinstance(n, ast.Await)]
    return [c.func for c in calls if isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute)]


def sends(tree: ast.Module) -> list[str]:
    """Calls by which a builder of the SDK would send and parse by itself."""
    return [
        ast.unparse(each)
        for each in awaited(tree)
        if each.attr in SENDING
        and (
            isinstance(each.value, ast.Call | ast.Subscript)
            or any(word in ast.unparse(each.value) for word in ("client", "builder"))
        )
    ]


def test_no_adapter_lets_a_builder_send() -> None:
    """Otherwise its answer's type, and with it every type of Graph, would have to be shipped."""
    for file in ADAPTERS:
        assert sends(ast.parse(file.read_text("utf-8"))) == [], file


def test_no_adapter_lets_the_sdk_parse_anything_but_errors() -> None:
    for file in ADAPTERS:
        text = file.read_text("utf-8")
        for name in ("send_async", "send_collection_async", "get_object_value"):
            assert f".{name}(" not in text, file


@pytest.mark.parametrize(
    "code",
    ["await self._graph.client.users.get()", "await builder.post(body)", "await one().delete()"],
)
def test_what_would_break_the_package_is_noticed(code: str) -> None:
    assert sends(ast.parse(f"async def f():\n    {code}\n"))


SDK = {
    "__init__": "from .client import Client\n",
    "client": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from .generated.never import Never
class Client:
    @property
    def users(self):
        from .generated.users_request_builder import UsersRequestBuilder
        return UsersRequestBuilder()
    @property
    def print(self):
        from .generated.print_request_builder import PrintRequestBuilder
        return PrintRequestBuilder()
""",
    "generated/users_request_builder": """
from .base import Base
class UsersRequestBuilder(Base):
    async def get(self):
        from .models.user import User
        return User
    def to_get_request_information(self):
        from .asked import Asked
        return Asked
""",
    "generated/base": "",
    "generated/asked": "",
    "generated/never": "",
    "generated/print_request_builder": "",
    "generated/models/user": """
from .part import Part
class User:
    def serialize(self):
        from .sent import Sent
    def get_field_deserializers(self):
        from .all_of_graph import AllOfGraph
""",
    "generated/models/part": "",
    "generated/models/sent": "",
    "generated/models/all_of_graph": "",
    "generated/models/o_data_errors/o_data_error": """
class ODataError:
    def get_field_deserializers(self):
        from .main_error import MainError
""",
    "generated/models/o_data_errors/main_error": """
class MainError:
    @staticmethod
    def create_from_discriminator_value(node):
        from .inner_error import InnerError
""",
    "generated/models/o_data_errors/inner_error": "",
}


def reached(folder: Path, product: str) -> set[str]:
    for name, text in SDK.items():
        file = folder / "msgraph" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    source = folder / "product.py"
    source.write_text(product)
    found = Reach(folder, [source]).files()
    return {file.with_suffix("").as_posix().removeprefix("msgraph/") for file in found}


ALWAYS = {"__init__", "client"}


def test_only_what_is_mentioned_is_reached(tmp_path: Path) -> None:
    found = reached(
        tmp_path, "from msgraph import Client\nClient().users.to_get_request_information()\n"
    )
    assert found == ALWAYS | {f"generated/{n}" for n in ("users_request_builder", "base", "asked")}


def test_a_model_that_is_sent_comes_without_what_it_could_be_parsed_from(tmp_path: Path) -> None:
    product = "def f():\n    from msgraph.generated.models.user import User\n    return User()\n"
    assert reached(tmp_path, product) == ALWAYS | {
        f"generated/models/{n}" for n in ("user", "part", "sent")
    }


def test_errors_come_with_all_that_they_hold(tmp_path: Path) -> None:
    product = "from msgraph.generated.models.o_data_errors.o_data_error import ODataError\n"
    errors = ("o_data_error", "main_error", "inner_error")
    assert reached(tmp_path, product) == ALWAYS | {
        f"generated/models/o_data_errors/{n}" for n in errors
    }
