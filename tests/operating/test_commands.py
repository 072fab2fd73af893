"""The commands that look and tell: exit codes, what is on which stream, and errors that are a sentence."""

import fcntl
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.operating.zhuli import scripted_models, zhuli


def test_help_lists_every_command() -> None:
    done = zhuli("--help")
    assert done.returncode == 0
    for name in ("serve", "worker", "chat", "keys", "models", "migrate", "doctor", "settings"):
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize("command", ["serve", "worker", "chat", "keys", "models", "migrate", "doctor", "settings"])
def test_every_command_explains_itself(command: str) -> None:
    done = zhuli(command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_the_version_is_the_package_s() -> None:
    done = zhuli("--version")
    assert done.returncode == 0
    assert done.stdout == f"zhuli {version('zhuli')}\n"


def test_settings_shows_values_and_defaults_but_no_password(tmp_path: Path) -> None:
    url = "postgresql://zhuli:hunter2@db.example/zhuli"
    done = zhuli("settings", "--data-dir", tmp_path, env={"ZHULI_DATABASE_URL": url, "ZHULI_STRICT__IDS": "true"})
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "postgresql://zhuli:***@db.example/zhuli" in lines["database_url"]
    assert "hunter2" not in done.stdout
    assert lines["strict.ids"].split()[1:3] == ["true", "false"]
    assert "Where the embedded defaults keep everything." in lines["data_dir"]


def test_a_wrong_setting_is_one_sentence_that_names_it(tmp_path: Path) -> None:
    done = zhuli("settings", "--data-dir", tmp_path, env={"ZHULI_PORT": "many"})
    assert done.returncode == 2
    assert done.stderr.startswith("zhuli: The setting 'port' can't be 'many'")
    assert "Traceback" not in done.stderr


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    done = zhuli("doctor", "--config", tmp_path / "none.toml")
    assert done.returncode == 2
    assert done.stderr == f"zhuli: There is no settings file {tmp_path}/none.toml.\n"


def test_models_lists_entries_with_their_other_names(tmp_path: Path) -> None:
    done = zhuli("models", "--data-dir", scripted_models(tmp_path))
    line, embedder, *_ = done.stdout.splitlines()[1:]
    assert embedder.split()[:4] == ["hashed", "(default", "embedder)", "hashed"]
    assert line.split() == ["script", "(default)", "scripted", "32768", "yes", "gpt-4o"]


def test_models_says_what_a_model_lacks(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text(
        '[models.big]\nbackend = "openai_compatible"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "NOWHERE_KEY"\n'
    )
    done = zhuli("models", "--data-dir", tmp_path)
    assert done.returncode == 0
    assert "NOWHERE_KEY" in done.stdout
    models, _, embedders = done.stdout.partition("e5-small")
    assert "yes" not in models.split() and "yes" in embedders.split()


def test_prepare_starts_every_model_once(tmp_path: Path) -> None:
    done = zhuli("models", "prepare", "--data-dir", scripted_models(tmp_path))
    assert (done.returncode, done.stdout) == (0, "Ready: script, hashed.\n")


def test_migrate_check_says_what_is_missing_and_makes_nothing(tmp_path: Path) -> None:
    before = zhuli("migrate", "--check", "--data-dir", tmp_path)
    assert before.returncode == 1
    assert before.stdout.startswith("The database lacks: 0001")
    assert list(tmp_path.iterdir()) == []


def test_migrate_applies_and_is_then_content(tmp_path: Path) -> None:
    assert zhuli("migrate", "--data-dir", tmp_path).stdout.startswith("Applied: 0001")
    for again in (("--check",), ()):
        done = zhuli("migrate", *again, "--data-dir", tmp_path)
        assert (done.returncode, done.stdout) == (0, "The database is up to date.\n")


def test_a_worker_on_sqlite_is_told_why_not(tmp_path: Path) -> None:
    done = zhuli("worker", "--data-dir", tmp_path)
    assert done.returncode == 2
    assert "need a database that processes can share" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_worker_without_slots_is_told_why_not(tmp_path: Path) -> None:
    url = {"ZHULI_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "ZHULI_WORKER_SLOTS": "0"}
    done = zhuli("worker", "--data-dir", tmp_path, env=url)
    assert done.returncode == 2
    assert "--slots" in done.stderr


def test_without_keys_only_loopback_is_served(tmp_path: Path) -> None:
    done = zhuli("serve", "--host", "0.0.0.0", "--port", "0", "--data-dir", scripted_models(tmp_path))
    assert done.returncode == 2
    assert "listens only on loopback, not on 0.0.0.0" in done.stderr
    assert "zhuli keys create" in done.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////nowhere/at/all.db", "can't be opened"),
        ("postgresql://zhuli@127.0.0.1:1/zhuli", "Connect"),
        ("mysql://127.0.0.1/zhuli", "must begin with sqlite:/// or postgresql://"),
        ("postgres://zhuli@127.0.0.1/zhuli", "must begin with sqlite:/// or postgresql://, not postgres://."),
        ("zhuli.db", "must be like sqlite:///PATH or postgresql://USER@HOST/DATABASE, not 'zhuli.db'"),
    ],
)
def test_a_database_that_can_not_be_used_is_one_sentence(tmp_path: Path, url: str, says: str) -> None:
    env = {"ZHULI_DATABASE_URL": url}
    done = zhuli("serve", "--port", "0", "--data-dir", scripted_models(tmp_path), env=env)
    assert done.returncode == 2
    assert done.stderr.startswith("zhuli: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ('[models.a]\nbackend = "scripted"', "Model 'a': the setting 'script' is missing"),
        ('[models.a]\nbackend = "scripted"\nscript = "script.json"\nmood = 1', "Model 'a': unknown setting 'mood'"),
        ('[models.a]\nbackend = "openai_compatible"\nbas_url = "http://x/v1"', "Did you mean 'base_url'?"),
        ('[models.a]\nbackend = "embedded"\npatth = "x.gguf"', "unknown setting 'patth'. Did you mean 'path'?"),
        ('[models.a]\nbackend = "nowhere:Plugin"', "needs the package 'nowhere', which is not installed"),
        ('[models.a]\nbackend = "json:dumps"', "'json:dumps' is none of the backends: that must be a class"),
        ('[models.a]\nbackend = "json:JSONDecoder"', "a class with a method generate()"),
        ('[models.a]\nbackend = "zhuli.settings:Nothing"', "Nothing"),
        ('[models.a]\nbackend = "scripted"\nscript = "absent.json"', "absent.json"),
        (
            '[models.a]\nbackend = "openai_compatible"\nbase_url = "http://127.0.0.1:1/v1"\napi_key_env = "NO_SUCH_KEY"',
            "NO_SUCH_KEY",
        ),
        (
            '[models.a]\nbackend = "scripted"\nscript = "script.json"\n[embedders.b]\nplugin = "static"\nmood = 1',
            "mood",
        ),
    ],
)
def test_a_mistake_in_the_models_file_stops_the_start(tmp_path: Path, models: str, says: str) -> None:
    folder = scripted_models(tmp_path)
    (folder / "models.toml").write_text(models)
    done = zhuli("serve", "--port", "0", "--data-dir", folder)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("zhuli: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_another_program_has_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = zhuli("serve", "--port", str(port), "--data-dir", scripted_models(tmp_path))
    assert done.returncode == 2
    assert done.stderr.endswith(
        f"zhuli: The server can't listen on 127.0.0.1:{port}: another program listens there. Choose another port, like "
        f"--port {port + 1}, or host.\n"
    )
    assert "Traceback" not in done.stderr


def test_a_data_folder_that_another_server_has_is_one_sentence(tmp_path: Path) -> None:
    folder = scripted_models(tmp_path)
    assert zhuli("migrate", "--data-dir", folder).returncode == 0
    with (folder / "zhuli.db.lock").open("w") as claimed:
        fcntl.flock(claimed, fcntl.LOCK_EX)
        done = zhuli("serve", "--port", "0", "--data-dir", folder)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == (
        f"zhuli: Another zhuli process works on {folder}/zhuli.db, and a SQLite database has one. Stop it, or give this one "
        "another folder (--data-dir); for several processes use PostgreSQL.\n"
    )


@pytest.mark.parametrize("words", [("chat", "hello"), ("datasets", "list"), ("end-users", "delete", "ann")])
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("127.0.0.1:8000/v1", "one begins with http:// or https:// and ends with /v1"),
        ("http://127.0.0.1:1/v1", "No server answers at http://127.0.0.1:1/v1"),
    ],
)
def test_an_address_that_is_none_is_one_sentence(words: tuple[str, ...], url: str, says: str) -> None:
    done = zhuli(*words, "--base-url", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("zhuli: ") and says in done.stderr and done.stderr.count("\n") == 1


def test_the_loader_of_faiss_says_nothing_in_the_log() -> None:
    program = "from zhuli.core import logs; logs.configure('text', 'info'); import faiss"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_new_key_is_alone_on_standard_output(tmp_path: Path) -> None:
    done = zhuli("keys", "create", "--project", "shop", "--data-dir", tmp_path)
    key = done.stdout.strip()
    assert done.stdout == f"{key}\n"
    assert key.startswith("sk-")
    listed = zhuli("keys", "list", "--data-dir", tmp_path).stdout
    assert key not in listed
    (line,) = [line for line in listed.splitlines() if line.startswith("key_")]
    assert "shop" in line.split() and line.split()[-1] == "yes"

    revoked = zhuli("keys", "revoke", line.split()[0], "--data-dir", tmp_path)
    assert revoked.returncode == 0 and "lets nobody in" in revoked.stdout
    (line,) = [line for line in zhuli("keys", "list", "--data-dir", tmp_path).stdout.splitlines() if "key_" in line]
    assert "no: revoked" in line


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--scope", "read", "--scope", "root"], "There is no scope 'root'. There are read, write, admin, feedback."),
        (
            ["--expires", "tomorrow"],
            "can't expire at 'tomorrow'. Give days, like 30, or a time in UTC, like 2031-05-03",
        ),
        (["--expires", "2001-01-01"], "that is past"),
        (["--expires", "-1"], "can't expire in '-1' days"),
        (["--expires", "inf"], "can't expire in 'inf' days"),
        (["--expires", "20310503"], "Give a number from 0 to 36500"),
    ],
)
def test_a_key_that_can_not_be_made_so_is_one_sentence(tmp_path: Path, options: list[str], says: str) -> None:
    done = zhuli("keys", "create", *options, "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("zhuli: ") and says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_revoking_a_key_that_is_not_there_fails(tmp_path: Path) -> None:
    done = zhuli("keys", "revoke", "key_none", "--data-dir", tmp_path)
    assert done.returncode == 2
    assert done.stderr == "zhuli: No API key found with id 'key_none'.\n"


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "zhuli.db").write_text("This was never a database, whatever its name says. " * 100)
    done = zhuli("serve", "--port", "0", "--data-dir", tmp_path)
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "can't be opened: file is not a database" in done.stdout + done.stderr


def test_a_database_that_is_damaged_is_one_sentence(tmp_path: Path) -> None:
    assert zhuli("keys", "list", "--data-dir", tmp_path).returncode == 0
    file = tmp_path / "zhuli.db"
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    done = zhuli("serve", "--port", "0", "--data-dir", tmp_path)
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "can't be opened: database disk image is malformed" in done.stdout + done.stderr


def test_a_lock_that_is_a_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "zhuli.db.lock").mkdir()
    done = zhuli("serve", "--port", "0", "--data-dir", tmp_path)
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "It must be a file" in done.stdout + done.stderr
