"""Azure's form of the API: other paths and another header for the same thing. A path of Azure's is rewritten to ours."""

import re
from urllib.parse import unquote

from starlette.types import Scope

_PATH = re.compile(r"/openai(?:/v1)?(?:/deployments/(?P<deployment>[^/]+))?(?P<rest>/.*)", re.ASCII)

_ASK_MODELS = ("/chat/completions", "/completions", "/embeddings")
"""What is sent to a deployment. Anything else may come that way too, and names its model itself or has none."""

DEPLOYMENT = "azure_deployment"
"""Where a scope has the name of the deployment: the model, whatever the body names, as Azure has it."""


def as_ours(scope: Scope) -> Scope:
    """The scope of the same request as it would be sent to us; `api-version` does not matter here."""
    found = _PATH.fullmatch(scope["raw_path"].decode("ascii"))
    if found is None:
        return scope
    path = f"/v1{found['rest']}"
    query = b"&".join(part for part in scope["query_string"].split(b"&") if not part.startswith(b"api-version="))
    ours: Scope = {**scope, "path": unquote(path), "raw_path": path.encode(), "query_string": query}
    if found["deployment"] and found["rest"] in _ASK_MODELS:
        ours[DEPLOYMENT] = unquote(found["deployment"])
    return ours
