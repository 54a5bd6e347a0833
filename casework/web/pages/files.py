"""Files of a case: put there, and handed out."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from casework.service.work import FILE_MAX
from casework.web.site import page_router
from casework.web.visit import Person
from regtech.content.saying import say
from regtech.errors import CapacityError, NotFoundError, UsageError

router = page_router()


@router.get("/cases/{case}/files/{sha256}")
def fetch(visit: Person, case: str, sha256: str) -> Response:
    """The bytes of a file, to be kept and never opened in the place of a page."""
    service = visit.parts.service
    found = service.get(visit.scope, case)
    ref = next((file for file in found.files if file.sha256 == sha256), None)
    if ref is None:
        raise NotFoundError(say("there is no such file of %(case)s", case=case))
    content = service.file(visit.scope, case, sha256)
    return download(content, ref.name, "application/octet-stream")


def download(content: bytes, name: str, media_type: str) -> Response:
    """Something to be saved under a name."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=media_type, headers=headers)


@router.post("/cases/{case}/files")
async def put(visit: Person, case: str, request: Request) -> Response:
    """Put a file to the case."""
    given = visit.typed.files.get("file")
    if given is None or not given.filename:
        raise UsageError(say("no file was chosen"))
    content = await given.read(FILE_MAX + 1)
    if len(content) > FILE_MAX:
        raise CapacityError(say("a file of more than %(file_max)s bytes", file_max=FILE_MAX))
    restricted = visit.scope.restricted
    seen = None if restricted else visit.typed.whole("version")
    media_type = (given.content_type or "").partition(";")[0].strip()
    await run_in_threadpool(
        visit.parts.service.add_file,
        visit.scope,
        case,
        seen,
        name=given.filename,
        media_type=media_type,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        shared=visit.typed.get("shared") == "1",
    )
    return RedirectResponse(f"/cases/{case}#files", 303)


@router.post("/cases/{case}/evidence")
def evidence(visit: Person, case: str) -> Response:
    """The bundle of evidence of a case; that it was handed out is on record."""
    bundles = visit.parts.bundles
    if bundles is None:
        raise UsageError(
            say("this server signs no evidence"),
            hint=say("an operator sets REGTECH_KEYS to a folder of keys"),
        )
    personal = visit.typed.get("personal") == "1"
    number = visit.typed.whole("number") if personal else 0
    content = bundles.export(visit.scope, case, personal=personal, number=number)
    return download(content, f"{case}.evidence.json", "application/json")
