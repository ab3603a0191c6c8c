"""`POST /v1/imports/{kind}`: a file in the body, a report in the answer."""

from __future__ import annotations

from dataclasses import asdict
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, BinaryIO, Literal, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from ecm.doors import Services, address_of, permit_for, services
from ecm.errors import NotUnderstood, TooLarge
from ecm.importing.report import ImportReport, Rejection
from ecm.importing.row import Format
from ecm.importing.run import run_import
from ecm.importing.text import MAX_FILE_BYTES
from ecm.permit import Action, Actor
from ecm.problem import problem

router = APIRouter(tags=["import"])

IN_MEMORY_BYTES = 4 * 1024 * 1024

FORMATS: dict[str, Format] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/vnd.ms-excel": "csv",  # what browsers on Windows call a .csv
    "application/json": "json",
    "application/x-ndjson": "json",
    "application/jsonl": "json",
}

KindName = Literal["providers", "contracts", "service-users", "care-workers", "visits"]


class FileRejected(NotUnderstood):
    """Nothing was imported, because rows were rejected; mend them, or send skip_rejected."""

    slug = "import-rejected"


TAKEN = asdict(ImportReport(read=3, new=1, updated=1, unchanged=1, written=True))
REJECTED = asdict(
    ImportReport(
        read=3,
        new=2,
        rejected=1,
        rejections=[Rejection(3, "date: 46349 is Excel's number for 2026-11-23; format the column as text")],
    )
)
ROWS = [
    {
        "ref": "V-1",
        "service_user_ref": "P-1",
        "provider_ref": "ALPHA",
        "date": "2026-11-23",
        "start": "09:00",
        "end": "09:30",
    }
]
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"type": "object"}}, "example": ROWS},
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}, "example": "ref,name\nALPHA,Alpha Care\n"},
        },
    }
}


@router.post(
    "/v1/imports/{kind}",
    response_model=ImportReport,
    openapi_extra=BODY,
    responses={
        200: {"content": {"application/json": {"example": TAKEN}}},
        422: {
            "description": "Rows were rejected and nothing was written; the report rides along.",
            "content": {
                "application/problem+json": {"example": {"type": "/problems/import-rejected"} | REJECTED}
            },
        },
    },
)
async def import_file(
    request: Request,
    kind: KindName,
    door: Annotated[Services, Depends(services)],
    who: Annotated[Actor, Depends(permit_for(Action.IMPORT_DATA))],
    dry_run: bool = False,
    skip_rejected: bool = False,
) -> Response:
    """Imports a file of one kind: CSV, a JSON array, `{"items": [...]}` or JSON lines.

    All or nothing unless `skip_rejected`. The same file again changes nothing.
    """
    file_format = _format_of(request)
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spool:
        await _receive(request, cast(BinaryIO, spool))
        report = await run_import(
            door.web,
            who.lock,
            kind,
            cast(BinaryIO, spool),
            format=file_format,
            dry_run=dry_run,
            skip_rejected=skip_rejected,
            now=door.clock.now(),
            actor=str(who),
            origin=address_of(request),
            postcodes=door.settings.postcodes_file,
            sealer=door.sealer,
        )
    if report.rejected and (report.refused or not skip_rejected):
        return problem(FileRejected(report.summary), instance=request.url.path, **report.as_json())
    return JSONResponse(report.as_json())


def _format_of(request: Request) -> Format:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FORMATS:
        raise NotUnderstood(f"Send the file as one of {', '.join(FORMATS)}, and say so in Content-Type.")
    return FORMATS[media_type]


async def _receive(request: Request, spool: BinaryIO) -> None:
    received_bytes = 0
    async for chunk in request.stream():
        received_bytes += len(chunk)
        if received_bytes > MAX_FILE_BYTES:
            raise TooLarge(f"A file may have {MAX_FILE_BYTES >> 20} MiB.")
        spool.write(chunk)
