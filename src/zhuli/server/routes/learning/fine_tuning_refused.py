"""What of the fine-tuning API is not done here, said clearly: graders, which reinforcement needs, and shared checkpoints."""

from fastapi import APIRouter

from zhuli.core.errors import InvalidRequest

router = APIRouter(prefix="/v1/fine_tuning", tags=["Fine-tuning"])

_CODE = "unsupported_operation"


@router.post("/alpha/graders/run")
@router.post("/alpha/graders/validate")
async def use_grader() -> None:
    """Not served; the error says what to use."""
    raise InvalidRequest(
        "There are no graders here, for reinforcement fine-tuning is not done. Measure a model by a fine-tuning job's "
        "report or by an eval (POST /v1/evals), or prefer outputs by pairs with a method of type 'dpo'.",
        code=_CODE,
    )


@router.get("/checkpoints/{checkpoint}/permissions")
@router.post("/checkpoints/{checkpoint}/permissions")
@router.delete("/checkpoints/{checkpoint}/permissions/{permission}")
async def share_checkpoint() -> None:
    """Not served; the error says what to use."""
    raise InvalidRequest(
        "Checkpoints are not shared between projects here. Export the model (GET /v1/models/{model}/export) and import "
        "it into the other project.",
        code=_CODE,
    )
