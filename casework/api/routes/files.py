"""Files of a case. The digest is part of the path, so that what arrives is what was sent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from casework.api.context import Parts
from casework.api.gate import Reader, Worker
from casework.api.problems import documented
from casework.api.routes.cases import CaseId, line
from casework.api.types import cases as T
from casework.api.versions import IfMatch, seen_version, tag
from casework.service.work import MEDIA_TYPES

router = APIRouter(prefix="/cases/{case}/files", tags=["cases"])

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the bytes, in hex.")]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES
        },
    }
}


@router.put(
    "/{sha256}",
    responses=documented(404, 409, 412, 413, 428),
    openapi_extra=_BODY,
    summary="Add a file",
)
async def put_file(
    request: Request,
    response: Response,
    caller: Worker,
    parts: Parts,
    case: CaseId,
    sha256: Digest,
    name: Annotated[str, Query(min_length=1, max_length=255, description="A plain file name.")],
    shared: bool = False,
    if_match: IfMatch = None,
) -> T.Acted:
    """Put a file to a case. The same file again changes nothing."""
    seen = seen_version(if_match, caller.scope)
    content = await request.body()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()

    def add() -> T.Acted:
        changed = parts.service.add_file(
            caller.scope,
            case,
            None if caller.scope.restricted else seen,
            name=name,
            media_type=media_type,
            content=content,
            sha256=sha256,
            shared=shared,
        )
        if caller.scope.restricted:
            return T.Answered(case=case)
        tag(response, changed)
        return line(parts.service, caller.scope, changed)

    return await run_in_threadpool(add)


@router.get(
    "/{sha256}",
    responses={
        **documented(404),
        200: {
            "description": "The bytes, as an attachment.",
            "content": {"application/octet-stream": {}},
        },
    },
    response_class=Response,
    summary="A file",
)
def get_file(caller: Reader, parts: Parts, case: CaseId, sha256: Digest) -> Response:
    """The bytes of a file; always as an attachment of no particular type, never to be shown."""
    content = parts.service.file(caller.scope, case, sha256)
    headers = {"Content-Disposition": f'attachment; filename="{sha256}"'}
    return Response(content, headers=headers, media_type="application/octet-stream")
