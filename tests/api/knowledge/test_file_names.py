"""What a file is called, in every way in which clients say it; what it is called decides how it is read."""

import json

import httpx2
import openai
import pytest

from tests.harness.waiting import eventually


def uploaded(http: httpx2.Client, disposition: bytes, *, more: bytes = b"", content: bytes = b"x") -> str:
    """The name of a file whose part has this Content-Disposition, behind form-data."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
        b"--b\r\nContent-Disposition: form-data" + disposition + b"\r\n" + more + b"\r\n" + content + b"\r\n--b--\r\n"
    )
    answer = http.post("/v1/files", content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 200, answer.text
    file = answer.json()
    assert file["bytes"] == len(content)
    assert http.get(f"/v1/files/{file['id']}").json()["filename"] == file["filename"]
    return str(file["filename"])


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('; name="file"; filename="report.pdf"', "report.pdf"),
        ("; name=file; filename=report.pdf", "report.pdf"),
        ('; name="file"; filename="竹里馆.md"', "竹里馆.md"),
        ("; name=\"file\"; filename*=utf-8''%E7%AB%B9%E9%87%8C.md", "竹里.md"),
        ("; name=\"file\"; filename*=UTF-8'zh'%E7%AB%B9%E9%87%8C.md", "竹里.md"),
        ('; name="file"; filename="zhu.md"; filename*=utf-8\'\'%E7%AB%B9.md', "竹.md"),
        ('; name="file"; filename*=utf-8\'\'%E7%AB%B9.md; filename="zhu.md"', "竹.md"),
        ("; name=\"file\"; filename*=iso-8859-1''Gr%FC%DFe.txt", "Grüße.txt"),
        ("; name=\"file\"; filename*=gb18030''%D6%F1.txt", "竹.txt"),
        ('; name="file"; filename*0="a long "; filename*1="name.txt"', "a long name.txt"),
        ('; name="file"; filename*0*=utf-8\'\'%E7%AB%B9; filename*1=".txt"', "竹.txt"),
        ('; name="file"; filename="=?utf-8?B?56u56YeMLm1k?="', "竹里.md"),
        ('; name="file"; filename="=?UTF-8?Q?Gr=C3=BC=C3=9Fe.txt?="', "Grüße.txt"),
        ('; name="file"; filename="=?gb2312?B?1vE=?=.txt"', "竹.txt"),
        ('; name="file"; filename="=?nonsense?B?1vE=?=.txt"', "=?nonsense?B?1vE=?=.txt"),
        ('; name="file"; filename="a \\"quoted\\" name.txt"', 'a "quoted" name.txt'),
        ('; name="file"; filename="a %22quoted%22 name.txt"', 'a "quoted" name.txt'),
        ('; name="file"; filename="100%.txt"', "100%.txt"),
        ('; name="file"; filename="a; b=c.txt"', "a; b=c.txt"),
        ('; name="file"; filename="../../etc/passwd.txt"', "passwd.txt"),
        ('; name="file"; filename="C:\\\\Users\\\\Ann\\\\report.docx"', "report.docx"),
        ('; name="file"; filename="C:\\Users\\Ann\\report.docx"', "report.docx"),
        ('; name="file"; filename="folder/inner/notes.md"', "notes.md"),
        ('; name="file"; filename="a%0D%0Ab.txt"', "ab.txt"),
        ("; name=\"file\"; filename*=utf-8''a%00%1Bb%7F.txt", "ab.txt"),
        ("; name=\"file\"; filename*=utf-8''exe%E2%80%AEgpj.txt", "exegpj.txt"),
        ('; name="file"; filename=""', "upload"),
        ('; name="file"; filename=".."', "upload"),
        ('; name="file"; filename=" / "', "upload"),
        ('; name="file"', "upload"),
        ("; NAME=file; FileName=Report.PDF", "Report.PDF"),
    ],
)
def test_a_name_is_read_as_it_was_meant(http: httpx2.Client, disposition: str, name: str) -> None:
    assert uploaded(http, disposition.encode()) == name


@pytest.mark.parametrize("name", ["Größe.txt", "été à Évreux.txt", "DÉJÀ VU.txt", "ñandú.md", "naïveté.pdf", "Ærø.csv"])
def test_a_name_in_latin_letters_of_an_old_client_is_read(http: httpx2.Client, name: str) -> None:
    assert uploaded(http, f'; name="file"; filename="{name}"'.encode("latin-1")) == name


@pytest.mark.parametrize("name", ["竹里馆.md", "报告（最终版）.docx", "2024年 财务 summary.xlsx", "张瑾.txt"])
@pytest.mark.parametrize("charset", ["gb18030", "gbk"])
def test_a_name_in_chinese_of_an_old_client_is_read(http: httpx2.Client, name: str, charset: str) -> None:
    assert uploaded(http, f'; name="file"; filename="{name}"'.encode(charset)) == name


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        (b"application/pdf", "upload.pdf"),
        (b"text/html; charset=utf-8", "upload.html"),
        (b"application/octet-stream", "upload"),
        (b"nobody/knows", "upload"),
    ],
)
def test_a_file_without_a_name_is_called_by_its_type(http: httpx2.Client, media_type: bytes, name: str) -> None:
    assert uploaded(http, b'; name="file"', more=b"Content-Type: " + media_type + b"\r\n") == name


def test_a_file_without_a_name_may_be_large(http: httpx2.Client) -> None:
    """As a text it could have a megabyte at most."""
    assert uploaded(http, b'; name="file"', content=b"0123456789" * 300_000) == "upload"


def test_a_name_that_is_too_long_keeps_its_extension(http: httpx2.Client) -> None:
    name = uploaded(http, b'; name="file"; filename="' + b"n" * 1000 + b'.docx"')
    assert len(name) == 255
    assert name.endswith("n.docx")


def test_a_part_of_an_upload_needs_no_name(client: openai.OpenAI, http: httpx2.Client) -> None:
    upload = client.uploads.create(bytes=3, filename="dir/竹\u0007.md", mime_type="text/markdown", purpose="user_data")
    body = b'--b\r\nContent-Disposition: form-data; name="data"\r\n\r\nabc\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b"}
    part = http.post(f"/v1/uploads/{upload.id}/parts", content=body, headers=kind).json()
    done = client.uploads.complete(upload.id, part_ids=[part["id"]])
    assert done.file is not None
    assert done.file.filename == "竹.md"
    assert client.files.content(done.file.id).read() == b"abc"


def test_the_sdks_name_survives_the_way_there_and_back(client: openai.OpenAI, http: httpx2.Client) -> None:
    for name in ("竹里馆.md", 'say "hi".txt', "a; b.txt", "%20.txt", "emoji 🎋.txt"):
        file = client.files.create(file=(name, b"x"), purpose="user_data")
        assert file.filename == name
        assert http.get(f"/v1/files/{file.id}/content").status_code == 200


def test_the_extension_decides_how_a_file_is_read(client: openai.OpenAI, http: httpx2.Client) -> None:
    """A name in the extended form would otherwise be none, and the file one that can't be read."""
    record = json.dumps({"title": "Bamboo", "text": "Bamboo grows fast."}).encode()
    body = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n--b\r\n'
        b"Content-Disposition: form-data; name=\"file\"; filename*=utf-8''%E7%AB%B9.json\r\n\r\n"
        + record
        + b"\r\n--b--\r\n"
    )
    file = http.post("/v1/files", content=body, headers={"content-type": "multipart/form-data; boundary=b"}).json()
    store = client.vector_stores.create(file_ids=[file["id"]])
    eventually(lambda: client.vector_stores.retrieve(store.id).file_counts.completed == 1)
