"""What vector stores have in a process beside the database: its indexes, who brings them up to date, and the embedding."""

import asyncio
from dataclasses import dataclass
from typing import Self

from zhuli.knowledge.retrieval.indexing.chosen_index import ChosenIndex
from zhuli.knowledge.retrieval.indexing.index_follower import Follower
from zhuli.knowledge.retrieval.indexing.index_following import IndexFollowing
from zhuli.knowledge.retrieval.indexing.word_index import WordsIndex
from zhuli.knowledge.retrieval.ingesting.embedding import Embedding
from zhuli.ports import VectorIndex
from zhuli.settings import Settings
from zhuli.store.database import Database


@dataclass(frozen=True)
class ProcessIndexes:
    """Made once; nothing is loaded before the first file or the first search."""

    vectors: VectorIndex
    words: WordsIndex
    follow_vectors: Follower
    follow_words: Follower
    following: IndexFollowing
    embedding: Embedding

    @classmethod
    def of(cls, database: Database, settings: Settings) -> Self:
        """Those that the settings ask for; none is opened before it is used."""
        vectors, words = ChosenIndex(settings), WordsIndex(settings.data_dir.resolve())
        followers = Follower(database, vectors), Follower(database, words)
        return cls(vectors, words, *followers, IndexFollowing(database, followers), Embedding())

    async def catch_up(self, store: str, number: int) -> None:
        """Afterwards both indexes have every change of the store up to `number`."""
        await asyncio.gather(
            self.follow_vectors.catch_up(store, number),
            self.follow_words.catch_up(store, number),
        )

    async def forget(self, store: str) -> None:
        """Drop what the indexes keep of a store that was deleted, after its log of changes was."""
        await asyncio.gather(self.follow_vectors.forget(store), self.follow_words.forget(store))

    async def aclose(self) -> None:
        """Stop what goes on here, and free the indexes."""
        await self.following.aclose()
        await self.embedding.aclose()
        await self.vectors.aclose()
        await self.words.aclose()
