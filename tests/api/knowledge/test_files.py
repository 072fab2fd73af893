"""Files: uploaded, described, downloaded, deleted. Vector stores and uploads in parts are not here."""

import socket

import httpx2
import openai
import pytest

from tests.conftest import StartServer
from tests.harness.blobs import blobs_of
from tests.harness.clients import Clients
from tests.harness.refusals import assert_refused, refused
from tests.harness.waiting import eventually


@pytest.mark.parametrize("purpose", ["assistants", "batch", "fine-tune", "vision", "user_data"])
def test_a_file_comes_back_byte_for_byte(client: openai.OpenAI, purpose: str) -> None:
    content = bytes(range(256)) * 10
    made = client.files.create(file=("data.bin", content), purpose=purpose)  # type: ignore[arg-type]
    assert made.id.startswith("file-")
    assert (made.object, made.bytes, made.filename, made.purpose) == ("file", 2560, "data.bin", purpose)
    assert made.status in ("uploaded", "processed")
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).read() == content


def test_a_file_may_be_for_evals(http: httpx2.Client) -> None:
    """A purpose that the SDK may send, but does not expect back."""
    made = http.post("/v1/files", files={"file": ("a.jsonl", b"{}")}, data={"purpose": "evals"}).json()
    assert http.get(f"/v1/files/{made['id']}").json()["purpose"] == "evals"


async def test_the_async_client_sees_the_same(aclient: openai.AsyncOpenAI) -> None:
    made = await aclient.files.create(file=("a.txt", b"text"), purpose="user_data")
    assert await aclient.files.retrieve(made.id) == made
    assert (await aclient.files.content(made.id)).content == b"text"
    assert (await aclient.files.delete(made.id)).deleted


def test_an_empty_file_is_a_file(client: openai.OpenAI) -> None:
    made = client.files.create(file=("empty.txt", b""), purpose="user_data")
    assert made.bytes == 0
    assert client.files.content(made.id).read() == b""


def test_a_name_of_any_script_comes_back_and_leads_nowhere(client: openai.OpenAI) -> None:
    for name in ("竹里.txt", "../../etc/passwd", "a name; with=signs.txt"):
        made = client.files.create(file=(name, b"x"), purpose="user_data")
        assert client.files.retrieve(made.id).filename.endswith(name.rpartition("/")[2])
        assert client.files.content(made.id).read() == b"x"


def test_a_file_may_be_larger_than_a_json_body(client: openai.OpenAI) -> None:
    content = b"0123456789abcdef" * 500_000
    made = client.files.create(file=("large.bin", content), purpose="user_data")
    assert made.bytes == 8_000_000
    assert client.files.content(made.id).read() == content


def test_a_file_can_be_waited_for(client: openai.OpenAI) -> None:
    made = client.files.create(file=("a.txt", b"x"), purpose="user_data")
    assert client.files.wait_for_processing(made.id, poll_interval=0.05).status == "processed"


def test_a_deleted_file_is_gone(client: openai.OpenAI) -> None:
    made = client.files.create(file=("a.txt", b"x"), purpose="user_data")
    deleted = client.files.delete(made.id)
    assert deleted.to_dict() == {"id": made.id, "object": "file", "deleted": True}
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with refused(404, f"No such File object: {made.id}", param="id"):
            call(made.id)


def test_a_file_needs_bytes_and_a_known_purpose(http: httpx2.Client) -> None:
    file = {"file": ("a.txt", b"x")}
    assert_refused(http.post("/v1/files", files=file), 400, param="purpose", code="missing_required_parameter")
    assert_refused(
        http.post("/v1/files", files={"x": ("a.txt", b"x")}, data={"purpose": "user_data"}),
        400,
        param="file",
        code="missing_required_parameter",
    )
    message = assert_refused(
        http.post("/v1/files", files=file, data={"purpose": "fun"}), 400, param="purpose", code="invalid_value"
    )
    assert "'assistants'" in message


def test_a_file_is_uploaded_as_a_form(http: httpx2.Client) -> None:
    response = http.post("/v1/files", json={"purpose": "user_data", "file": "x"})
    assert response.status_code in (400, 415)
    assert response.json()["error"]["param"] == "file"


def test_a_broken_form_is_refused(http: httpx2.Client) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for body in (b"", b"--b\r\nrubbish", b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx"):
        assert http.post("/v1/files", content=body, headers=headers).status_code == 400


def test_an_unknown_purpose_filters_everything_out(http: httpx2.Client) -> None:
    assert http.get("/v1/files", params={"purpose": "nothing-has-this"}).json()["data"] == []


def test_a_file_says_when_it_expires(http: httpx2.Client) -> None:
    form = {"purpose": "user_data", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    made = http.post("/v1/files", files={"file": ("a.txt", b"x")}, data=form).json()
    assert made["expires_at"] == made["created_at"] + 3600


@pytest.mark.parametrize("seconds", ["3599", "2592001", "soon"])
def test_a_file_expires_after_an_hour_to_thirty_days(http: httpx2.Client, seconds: str) -> None:
    form = {"purpose": "user_data", "expires_after[anchor]": "created_at", "expires_after[seconds]": seconds}
    response = http.post("/v1/files", files={"file": ("a.txt", b"x")}, data=form)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "expires_after[seconds]"


def test_an_expiry_needs_both_its_fields(http: httpx2.Client) -> None:
    for name, value, missing in (("anchor", "created_at", "seconds"), ("seconds", "3600", "anchor")):
        form = {"purpose": "user_data", f"expires_after[{name}]": value}
        response = http.post("/v1/files", files={"file": ("a.txt", b"x")}, data=form)
        assert_refused(response, 400, param=f"expires_after[{missing}]", code="missing_required_parameter")


def test_the_sdk_says_when_a_file_expires(client: openai.OpenAI) -> None:
    after = {"anchor": "created_at", "seconds": 7200}
    made = client.files.create(file=("a.txt", b"x"), purpose="user_data", expires_after=after)  # type: ignore[arg-type]
    assert made.expires_at == made.created_at + 7200


def test_files_for_a_batch_expire_after_thirty_days_unless_told_otherwise(client: openai.OpenAI) -> None:
    made = client.files.create(file=("a.jsonl", b"{}"), purpose="batch")
    assert made.expires_at == made.created_at + 30 * 86_400
    assert client.files.create(file=("a.txt", b"x"), purpose="assistants").expires_at is None


def test_an_unknown_field_of_the_form_is_refused(http: httpx2.Client) -> None:
    response = http.post("/v1/files", files={"file": ("a.txt", b"x")}, data={"purpose": "user_data", "color": "red"})
    assert_refused(response, 400, "Unknown parameter: 'color'.", param="color", code="unknown_parameter")


def test_files_are_listed_newest_first_by_purpose_and_in_pages(clients: Clients, start_server: StartServer) -> None:
    client = clients.sdk(start_server(fresh=True))
    purposes = ["assistants", "user_data", "assistants", "batch", "assistants"]
    made = [client.files.create(file=("a.txt", b"x"), purpose=purpose).id for purpose in purposes]  # type: ignore[arg-type]
    assert [file.id for file in client.files.list()] == made[::-1]
    assert [file.id for file in client.files.list(order="asc", limit=2)] == made
    page = client.files.list(order="asc", limit=2)
    assert page.has_more
    assert [file.id for file in page.data] == made[:2]
    assert [file.id for file in client.files.list(order="asc", after=made[2]).data] == made[3:]
    assert [file.id for file in client.files.list(purpose="assistants")] == [made[4], made[2], made[0]]


@pytest.mark.parametrize("limit", [0, 10_001])
def test_a_list_has_at_most_ten_thousand_files(client: openai.OpenAI, limit: int) -> None:
    with pytest.raises(openai.BadRequestError):
        client.files.list(limit=limit)


def test_content_is_a_download_under_the_name_of_the_file(http: httpx2.Client) -> None:
    for name, expected in (
        ("a report.txt", 'attachment; filename="a report.txt"'),
        ("竹.html", "attachment; filename=\"_.html\"; filename*=UTF-8''%E7%AB%B9.html"),
    ):
        made = http.post("/v1/files", files={"file": (name, b"<b>x")}, data={"purpose": "user_data"}).json()
        response = http.get(f"/v1/files/{made['id']}/content")
        assert response.headers["content-disposition"] == expected
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["content-length"] == "4"


def test_a_file_larger_than_the_limit_is_refused(clients: Clients, start_server: StartServer) -> None:
    http = clients.http(start_server(max_upload_bytes=100_000))
    form = {"purpose": "user_data"}
    assert http.post("/v1/files", files={"file": ("a.bin", bytes(100_000))}, data=form).status_code == 200
    response = http.post("/v1/files", files={"file": ("a.bin", bytes(100_001))}, data=form)
    message = assert_refused(response, 413, param="file", code="request_too_large")
    assert "At most 100000" in message


def test_an_upload_that_breaks_off_leaves_nothing(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    head = (
        b"POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=b\r\n"
        b"content-length: 9000000\r\n\r\n--b\r\n"
        b'content-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--b\r\n'
        b'content-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head + bytes(4_000_000))
    assert clients.sdk(server).files.list().data == []
    assert blobs_of(server) == []


def test_bytes_are_deleted_with_their_file(clients: Clients, start_server: StartServer) -> None:
    server = start_server(fresh=True)
    client = clients.sdk(server)
    kept, gone = (client.files.create(file=("a.txt", b"x"), purpose="user_data").id for _ in range(2))
    client.files.delete(gone)
    eventually(lambda: blobs_of(server) == [kept])
