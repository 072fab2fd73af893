"""Being written."""


async def speed(*_): ...
