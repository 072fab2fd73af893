"""Budgets over a whole run (contract §2): where they end it, and what is left of the answer then."""

from openai import OpenAI

from tests.harness.server import Server
from tests.harness.stories import WEATHER, answers, ask, set_fields, submit


def test_an_answer_longer_than_its_budget_is_incomplete(client: OpenAI) -> None:
    run = ask(client, "talk for long", max_completion_tokens=256)
    assert run.status == "incomplete"
    assert run.incomplete_details is not None
    assert run.incomplete_details.reason == "max_completion_tokens"
    assert set_fields(run, "completed_at", "failed_at", "last_error", "expires_at") == []
    (message,) = client.beta.threads.messages.list(run.thread_id, run_id=run.id).data
    assert message.status == "incomplete"
    assert message.incomplete_details is not None and message.incomplete_details.reason == "max_tokens"
    assert message.incomplete_at is not None and message.completed_at is None
    assert answers(client, run)[0].split() == ["word"] * 256


def test_the_step_of_an_incomplete_message_is_over_and_counted(client: OpenAI) -> None:
    run = ask(client, "talk for long", max_completion_tokens=256)
    (step,) = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id).data
    assert step.status == "completed"
    assert step.usage is not None and run.usage is not None
    assert step.usage.completion_tokens == run.usage.completion_tokens > 0


def test_the_completion_budget_is_spent_across_turns(client: OpenAI, server: Server) -> None:
    run = ask(client, "spend the completion budget", tools=[WEATHER], max_completion_tokens=256)
    run = submit(client, run, "sunny")
    assert run.status == "incomplete"
    assert run.incomplete_details is not None
    assert run.incomplete_details.reason == "max_completion_tokens"
    assert [asked["max_tokens"] for asked in server.requests(run.thread_id)] == [256, 56]
    assert answers(client, run)[0].split() == ["word"] * 56


def test_a_completion_budget_that_is_enough_changes_nothing(client: OpenAI, server: Server) -> None:
    run = ask(client, "spend the completion budget", tools=[WEATHER], max_completion_tokens=1000)
    run = submit(client, run, "sunny")
    assert run.status == "completed"
    assert [asked["max_tokens"] for asked in server.requests(run.thread_id)] == [1000, 800]


def test_the_prompt_budget_is_spent_across_turns(client: OpenAI, server: Server) -> None:
    run = ask(client, "spend the prompt budget", tools=[WEATHER], max_prompt_tokens=301)
    run = submit(client, run, "sunny")
    assert run.status == "incomplete"
    assert run.incomplete_details is not None
    assert run.incomplete_details.reason == "max_prompt_tokens"
    assert len(server.requests(run.thread_id)) == 1
    assert run.usage is not None and run.usage.prompt_tokens == 300


def test_a_prompt_budget_that_is_enough_changes_nothing(client: OpenAI, server: Server) -> None:
    run = ask(client, "spend the prompt budget", tools=[WEATHER], max_prompt_tokens=2000)
    assert submit(client, run, "sunny").status == "completed"
    assert len(server.requests(run.thread_id)) == 2


def test_a_prompt_budget_below_the_question_itself_ends_the_run(client: OpenAI, server: Server) -> None:
    run = ask(client, "long " * 2000, max_prompt_tokens=256)
    assert run.status == "incomplete"
    assert run.incomplete_details is not None
    assert run.incomplete_details.reason == "max_prompt_tokens"
    assert server.requests(run.thread_id) == []


def test_a_prompt_budget_leaves_out_the_middle_of_the_thread(client: OpenAI, server: Server) -> None:
    older = [{"role": "user", "content": f"line {n} " + "and so on " * 20} for n in range(20)]
    run = ask(client, "the first", additional_messages=older, max_prompt_tokens=400)
    assert run.status == "completed"
    read = [message["content"].split(" and")[0].strip() for message in server.requests(run.thread_id)[0]["messages"]]
    assert read[-1] == "line 19"
    assert len(read) < 21
    assert read[0] == "the first"


def test_a_model_that_stops_at_its_own_limit_leaves_an_incomplete_message(client: OpenAI) -> None:
    run = ask(client, "be cut short")
    assert run.status == "incomplete"
    assert run.incomplete_details is not None
    assert run.incomplete_details.reason == "max_completion_tokens"
    assert answers(client, run) == ["This is as far as"]
