"""Ids in addresses. A call-back's id has one slash in it (`d7/2`): its debt, and which dialling."""

from typing import Annotated, Final, TypeAlias

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor


class _CallId(Convertor[str]):
    regex = "[^/]+(?:/[0-9]+)?"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("call", _CallId())

CALL: Final = "{call:call}"
CallInPath: TypeAlias = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
