"""Uploads: large files in parts, joined in the order that the client says."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types import Upload

from tests.conftest import StartServer
from tests.harness.blobs import blobs_of
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused, refused
from tests.harness.waiting import eventually

MB = 1024 * 1024


def begin(client: openai.OpenAI, size: int, **fields: Any) -> Upload:
    given = {"filename": "big.bin", "purpose": "assistants", "mime_type": "text/plain", **fields}
    return client.uploads.create(bytes=size, **given)


def add(client: openai.OpenAI, upload: Upload, *parts: bytes) -> list[str]:
    return [client.uploads.parts.create(upload.id, data=part).id for part in parts]


def test_a_file_is_uploaded_in_parts(client: openai.OpenAI) -> None:
    upload = begin(client, 9)
    assert upload.id.startswith("upload_")
    assert (upload.object, upload.status, upload.bytes, upload.file) == ("upload", "pending", 9, None)
    assert (upload.filename, upload.purpose) == ("big.bin", "assistants")
    assert upload.expires_at == upload.created_at + 3600
    part = client.uploads.parts.create(upload.id, data=b"first")
    assert part.id.startswith("part_")
    assert (part.object, part.upload_id) == ("upload.part", upload.id)
    [last] = add(client, upload, b"last")
    completed = client.uploads.complete(upload.id, part_ids=[part.id, last])
    assert completed.status == "completed"
    assert completed.file is not None
    assert (completed.file.filename, completed.file.bytes, completed.file.purpose) == ("big.bin", 9, "assistants")
    assert client.files.retrieve(completed.file.id) == completed.file
    assert client.files.content(completed.file.id).read() == b"firstlast"


def test_the_client_says_the_order_and_leaves_parts_out(client: openai.OpenAI) -> None:
    upload = begin(client, 6)
    one, _, three = add(client, upload, b"one", b"not this", b"333")
    completed = client.uploads.complete(upload.id, part_ids=[three, one])
    assert completed.file is not None
    assert client.files.content(completed.file.id).read() == b"333one"


def test_parts_may_come_at_the_same_time(client: openai.OpenAI) -> None:
    parts = [bytes([number]) * 100_000 for number in range(12)]
    upload = begin(client, sum(map(len, parts)))
    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(lambda part: add(client, upload, part)[0], parts))
    completed = client.uploads.complete(upload.id, part_ids=ids)
    assert completed.file is not None
    assert client.files.content(completed.file.id).read() == b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, 5 * MB + 1])
def test_the_sdk_uploads_a_file_in_chunks(client: openai.OpenAI, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    path = tmp_path / "report.pdf"
    path.write_bytes(content)
    md5 = hashlib.md5(content).hexdigest()
    upload = client.uploads.upload_file_chunked(
        file=path, mime_type="application/pdf", purpose="assistants", part_size=2 * MB, md5=md5
    )
    assert upload.file is not None
    assert (upload.file.filename, upload.file.bytes) == ("report.pdf", size)
    assert client.files.content(upload.file.id).read() == content


async def test_the_sdk_uploads_bytes_in_chunks(aclient: openai.AsyncOpenAI) -> None:
    content = os.urandom(300_000)
    upload = await aclient.uploads.upload_file_chunked(
        file=content, filename="a.txt", bytes=len(content), mime_type="text/plain", purpose="user_data", part_size=MB
    )
    assert upload.file is not None
    assert upload.file.filename == "a.txt"
    assert (await aclient.files.content(upload.file.id)).content == content


def test_a_part_of_64_mb_is_taken_and_no_larger_one(client: openai.OpenAI) -> None:
    upload = begin(client, 64 * MB)
    [part] = add(client, upload, bytes(64 * MB))
    with refused(413, param="data", code="request_too_large") as refusal:
        add(client, upload, bytes(64 * MB + 1))
    assert f"At most {64 * MB}" in refusal.value.message
    completed = client.uploads.complete(upload.id, part_ids=[part])
    assert completed.file is not None
    assert completed.file.bytes == 64 * MB


def test_the_checksum_must_be_right(client: openai.OpenAI) -> None:
    upload = begin(client, 4)
    ids = add(client, upload, b"abcd")
    right, wrong = hashlib.md5(b"abcd").hexdigest(), hashlib.md5(b"abce").hexdigest()
    with refused(400, f"The MD5 of the parts is '{right}', but 'md5' is '{wrong}'.", param="md5"):
        client.uploads.complete(upload.id, part_ids=ids, md5=wrong)
    assert client.uploads.complete(upload.id, part_ids=ids, md5=right.upper()).status == "completed"


def test_the_bytes_must_be_as_many_as_announced(client: openai.OpenAI) -> None:
    upload = begin(client, 5)
    ids = add(client, upload, b"abcd")
    message = f"The parts have 4 bytes, but upload '{upload.id}' was created for 5 bytes."
    with refused(400, message, param="part_ids"):
        client.uploads.complete(upload.id, part_ids=ids)
    ids += add(client, upload, b"e")
    assert client.uploads.complete(upload.id, part_ids=ids).status == "completed"


def test_parts_must_be_the_uploads_own_and_named_once(client: openai.OpenAI) -> None:
    other = add(client, begin(client, 4), b"abcd")
    upload = begin(client, 4)
    ids = add(client, upload, b"ab")
    with refused(400, f"Upload '{upload.id}' has no part '{other[0]}'.", param="part_ids"):
        client.uploads.complete(upload.id, part_ids=other)
    with refused(400, "A part can be named only once in 'part_ids'.", param="part_ids"):
        client.uploads.complete(upload.id, part_ids=ids * 2)


def test_completing_again_gives_the_same_file(client: openai.OpenAI) -> None:
    upload = begin(client, 4)
    ids = add(client, upload, b"abcd")
    first = client.uploads.complete(upload.id, part_ids=ids)
    assert client.uploads.complete(upload.id, part_ids=ids) == first


def test_of_completes_at_the_same_time_one_wins(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    content = os.urandom(3 * MB)
    upload = begin(client, len(content))
    ids = add(client, upload, content[:MB], content[MB:])
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(lambda _: client.uploads.complete(upload.id, part_ids=ids), range(5)))
    [file_id] = {upload.file.id for upload in done if upload.file}
    assert client.files.content(file_id).read() == content
    assert [file.id for file in client.files.list()] == [file_id]
    eventually(lambda: blobs_of(server) == [file_id])


def test_a_cancelled_upload_takes_nothing_more(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    upload = begin(client, 4)
    ids = add(client, upload, b"abcd")
    assert client.uploads.cancel(upload.id).status == "cancelled"
    with refused(400, f"Upload '{upload.id}' can't take parts: its status is 'cancelled'."):
        add(client, upload, b"x")
    with refused(400, f"Upload '{upload.id}' can't be completed: its status is 'cancelled'."):
        client.uploads.complete(upload.id, part_ids=ids)
    with refused(400, f"Upload '{upload.id}' can't be cancelled: its status is 'cancelled'."):
        client.uploads.cancel(upload.id)
    eventually(lambda: blobs_of(server) == [])


def test_a_completed_upload_takes_nothing_more(client: openai.OpenAI) -> None:
    upload = begin(client, 0)
    client.uploads.complete(upload.id, part_ids=[])
    with refused(400, f"Upload '{upload.id}' can't take parts: its status is 'completed'."):
        add(client, upload, b"x")
    with refused(400, f"Upload '{upload.id}' can't be cancelled: its status is 'completed'."):
        client.uploads.cancel(upload.id)


def test_the_finished_file_expires_as_the_client_said(client: openai.OpenAI) -> None:
    upload = begin(client, 0, expires_after={"anchor": "created_at", "seconds": 3600})
    file = client.uploads.complete(upload.id, part_ids=[]).file
    assert file is not None
    assert file.expires_at == file.created_at + 3600


def test_an_unknown_upload_is_not_found(client: openai.OpenAI) -> None:
    message = "No upload found with id 'upload_none'."
    with refused(404, message):
        client.uploads.parts.create("upload_none", data=b"x")
    with refused(404, message):
        client.uploads.complete("upload_none", part_ids=[])
    with refused(404, message):
        client.uploads.cancel("upload_none")


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"bytes": -1}, "bytes", "integer_below_min_value"),
        ({"bytes": 8 * 1024 * MB + 1}, "bytes", "integer_above_max_value"),
        ({"bytes": "9"}, "bytes", "invalid_type"),
        ({"purpose": "fun"}, "purpose", "invalid_value"),
        ({"filename": None}, "filename", "invalid_type"),
        ({"color": "red"}, "color", "unknown_parameter"),
        ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds", "integer_below_min_value"),
    ],
)
def test_an_upload_is_created_with_care(http: httpx2.Client, change: dict[str, Any], param: str, code: str) -> None:
    body = {"filename": "a.txt", "purpose": "assistants", "bytes": 9, "mime_type": "text/plain"}
    assert_refused(http.post("/v1/uploads", json={**body, **change}), 400, param=param, code=code)


def test_a_part_is_a_form_with_data(client: openai.OpenAI, http: httpx2.Client) -> None:
    path = f"/v1/uploads/{begin(client, 1).id}/parts"
    missing = http.post(path, files={"file": ("a", b"x")})
    assert_refused(missing, 400, param="data", code="missing_required_parameter")
    unknown = http.post(path, files={"data": ("a", b"x"), "more": ("b", b"y")})
    assert_refused(unknown, 400, "Unknown parameter: 'more'.", param="more", code="unknown_parameter")


def test_a_project_sees_no_uploads_of_another(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    mine, theirs = (clients.sdk(server, key=server.new_key(name)) for name in ("mine", "theirs"))
    upload = begin(mine, 1)
    with refused(404, f"No upload found with id '{upload.id}'."):
        add(theirs, upload, b"x")
