"""Let the assistant call two functions of this program at once: polled, then streamed."""

import json

from openai import AssistantEventHandler, OpenAI

client = OpenAI()

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def get_weather(city):
    print(f"looking up {city}")
    return f"sunny in {city}"


def outputs_for(run):
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [{"tool_call_id": call.id, "output": get_weather(**json.loads(call.function.arguments))} for call in calls]


assistant = client.beta.assistants.create(model="gpt-4o", tools=[WEATHER])
thread = client.beta.threads.create(messages=[{"role": "user", "content": "weather in Paris and Rome?"}])
run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
print(run.status)
run = client.beta.threads.runs.submit_tool_outputs_and_poll(
    thread_id=thread.id, run_id=run.id, tool_outputs=outputs_for(run)
)
print(run.status)
print(client.beta.threads.messages.list(thread.id).data[0].content[0].text.value)
for step in client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, order="asc"):
    print(step.type, step.status)


class Caller(AssistantEventHandler):
    def on_event(self, event):
        if event.event == "thread.run.requires_action":
            with client.beta.threads.runs.submit_tool_outputs_stream(
                thread_id=event.data.thread_id,
                run_id=event.data.id,
                tool_outputs=outputs_for(event.data),
                event_handler=Caller(),
            ) as stream:
                stream.until_done()

    def on_tool_call_created(self, tool_call):
        print(f"calling {tool_call.function.name}")

    def on_text_delta(self, delta, snapshot):
        print(delta.value, end="")

    def on_text_done(self, text):
        print()


thread = client.beta.threads.create(messages=[{"role": "user", "content": "look it up and say so"}])
with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id, event_handler=Caller()) as stream:
    stream.until_done()
print(client.beta.threads.runs.retrieve(stream.get_final_run().id, thread_id=thread.id).status)
