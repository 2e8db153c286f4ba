"""What function code must obey; one bad function makes the whole app disappear in Azure.

The first group repeats the checks of Microsoft's Python worker while it indexes. The second group
is checked by the .NET host only, which then drops just that function without much notice.
"""

import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import azure.functions as func
from azure.functions.meta import _ConverterMeta  # the table of binding types; it has no public name

from emulators.host.errors import HostStartError
from emulators.host.function import HTTP, SERVICE_BUS, TIMER

FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
BINDING_NAME = re.compile(r"[a-z][a-z0-9]{0,127}", re.IGNORECASE)
SERVED = {HTTP, TIMER, SERVICE_BUS, "http"}


class BrokenRule(HostStartError):
    """One function breaks a rule."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"cannot load the {name} function: {text}")


def check_signature(
    name: str, handler: Callable[..., Any], bindings: tuple[Mapping[str, Any], ...]
) -> tuple[dict[str, Any], bool]:
    """Check parameters and annotations; answer the annotations and whether a context is wanted."""
    parameters = set(inspect.signature(handler).parameters)
    try:
        annotations = typing.get_type_hints(handler)
    except NameError as error:
        raise BrokenRule(name, f"an annotation is not defined at run time: {error}") from error
    bound = {b["name"]: b for b in bindings if b["name"] != "$return"}
    context = "context" in parameters and "context" not in bound
    if context:
        parameters.discard("context")
        _check_context(name, annotations.get("context", func.Context))
    if parameters - set(bound):
        raise BrokenRule(
            name,
            "the following parameters are declared in Python but not in the function definition:"
            f" {sorted(parameters - set(bound))}",
        )
    if set(bound) - parameters:
        raise BrokenRule(name, f"bindings not present in Python: {sorted(set(bound) - parameters)}")
    for parameter in sorted(parameters & set(annotations)):
        _check_parameter(name, bound[parameter], annotations[parameter])
    returned = next((b for b in bindings if b["name"] == "$return"), None)
    if returned is not None and "return" in annotations:
        _check_return(name, str(returned["type"]), annotations["return"])
    return annotations, context


def _check_context(name: str, annotation: Any) -> None:
    if not isinstance(annotation, type) or annotation.__name__ != "Context":
        raise BrokenRule(name, f"the context parameter is expected to be Context, not {annotation}")


def _is_typing_generic(annotation: Any) -> bool:
    """``typing.List[X]`` and ``Out[X]``, but neither ``list[X]`` nor a union."""
    alias = type(typing.List[int])  # noqa: UP006 - the alias type of typing itself is meant
    return isinstance(annotation, alias) and typing.get_origin(annotation) is not typing.Union


def _check_parameter(name: str, binding: Mapping[str, Any], annotation: Any) -> None:
    label, direction = binding["name"], binding.get("direction")
    out = typing.get_origin(annotation) is func.Out or annotation is func.Out
    if out != (direction == "OUT"):
        raise BrokenRule(name, f"binding {label} has direction {direction}, annotated {annotation}")
    inner = typing.get_args(annotation)[0] if typing.get_args(annotation) and out else annotation
    if not isinstance(inner, type) and not _is_typing_generic(inner):
        raise BrokenRule(name, f"binding {label} has invalid non-type annotation {annotation!r}")
    if inner in (str, bytes):
        return  # the worker hands these over as they are
    converter = _ConverterMeta.get(binding["type"])
    check = "check_output_type_annotation" if out else "check_input_type_annotation"
    try:
        fits = converter is not None and getattr(converter, check)(inner)
    except TypeError:  # issubclass() of something that is no class, as in the worker
        fits = False
    if not fits:
        raise BrokenRule(
            name, f"type of {label} binding does not match its annotation {annotation!r}"
        )


def _check_return(name: str, kind: str, annotation: Any) -> None:
    if not isinstance(annotation, type):
        raise BrokenRule(name, f"has invalid non-type return annotation {annotation!r}")
    converter = _ConverterMeta.get(kind)
    if converter is None or not converter.check_output_type_annotation(annotation):
        raise BrokenRule(
            name, f"return annotation {annotation.__name__} does not match binding type {kind}"
        )


def check_names(name: str, bindings: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    """Rules that only the .NET host knows; one text for each broken one."""
    if not FUNCTION_NAME.fullmatch(name) or name.lower() == "host":
        yield f"'{name}' is not a valid function name"
    labels = [str(b["name"]) for b in bindings]
    for label in labels:
        if label != "$return" and not BINDING_NAME.fullmatch(label):
            yield f"function {name}: '{label}' is not a valid binding name (letters and digits)"
    if len({label.lower() for label in labels}) != len(labels):
        yield f"function {name}: binding names must be unique ignoring case"


def check_served(name: str, bindings: tuple[Mapping[str, Any], ...]) -> Iterator[str]:
    """What the Azure host would do and this one does not."""
    for binding in bindings:
        if binding["type"] not in SERVED:
            yield f"function {name}: bindings of type {binding['type']} are not served by this host"
        if binding["type"] == SERVICE_BUS and binding.get("cardinality") == "MANY":
            yield f"function {name}: cardinality many is not served by this host; use one"
