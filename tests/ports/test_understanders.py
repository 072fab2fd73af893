"""Every understander that ships passes the contract."""

from pathlib import Path

import pytest

from zhuli import registry
from zhuli.ports import Understander
from zhuli.testing.plain_senses import PlainSenses
from zhuli.testing.understander_contract import UnderstanderContract
from zhuli.types.domain import DomainFields


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For all tests, so that the first learns and the others read what it kept."""
    return tmp_path_factory.mktemp("learned")


class TestFewShot(UnderstanderContract):
    @pytest.fixture
    def understander(self, domain: DomainFields, folder: Path) -> Understander:
        found: Understander = registry.find("understanders", "few_shot")(domain, PlainSenses(folder))
        return found
