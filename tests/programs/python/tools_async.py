"""Let the assistant call two functions of this program at once: polled, then streamed."""

import asyncio
import json

from openai import AsyncAssistantEventHandler, AsyncOpenAI

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


async def get_weather(city):
    print(f"looking up {city}")
    return f"sunny in {city}"


async def outputs_for(run):
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [
        {"tool_call_id": call.id, "output": await get_weather(**json.loads(call.function.arguments))} for call in calls
    ]


class Caller(AsyncAssistantEventHandler):
    def __init__(self, client):
        super().__init__()
        self.client = client

    async def on_event(self, event):
        if event.event == "thread.run.requires_action":
            async with self.client.beta.threads.runs.submit_tool_outputs_stream(
                thread_id=event.data.thread_id,
                run_id=event.data.id,
                tool_outputs=await outputs_for(event.data),
                event_handler=Caller(self.client),
            ) as stream:
                await stream.until_done()

    async def on_tool_call_created(self, tool_call):
        print(f"calling {tool_call.function.name}")

    async def on_text_delta(self, delta, snapshot):
        print(delta.value, end="")

    async def on_text_done(self, text):
        print()


async def main() -> None:
    client = AsyncOpenAI()
    assistant = await client.beta.assistants.create(model="gpt-4o", tools=[WEATHER])
    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "weather in Paris and Rome?"}])
    run = await client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
    print(run.status)
    run = await client.beta.threads.runs.submit_tool_outputs_and_poll(
        thread_id=thread.id, run_id=run.id, tool_outputs=await outputs_for(run)
    )
    print(run.status)
    print((await client.beta.threads.messages.list(thread.id)).data[0].content[0].text.value)
    async for step in client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, order="asc"):
        print(step.type, step.status)

    thread = await client.beta.threads.create(messages=[{"role": "user", "content": "look it up and say so"}])
    async with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=Caller(client)
    ) as stream:
        await stream.until_done()
    run = await stream.get_final_run()
    print((await client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)).status)


asyncio.run(main())
