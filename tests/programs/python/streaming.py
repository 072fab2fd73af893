"""Print an answer as it comes, with an event handler."""

from openai import AssistantEventHandler, OpenAI

client = OpenAI()


class Printer(AssistantEventHandler):
    def on_text_created(self, text):
        print("assistant: ", end="")

    def on_text_delta(self, delta, snapshot):
        print(delta.value, end="", flush=True)

    def on_text_done(self, text):
        print()

    def on_message_done(self, message):
        print(f"message {message.status}")

    def on_run_step_done(self, run_step):
        print(f"step {run_step.type} {run_step.status}")

    def on_end(self):
        print("end")


assistant = client.beta.assistants.create(model="gpt-4o")
thread = client.beta.threads.create(messages=[{"role": "user", "content": "tell a story"}])

with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id, event_handler=Printer()) as stream:
    stream.until_done()
print(f"run {stream.get_final_run().status}")

client.beta.threads.messages.create(thread.id, role="user", content="hello")
with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
    for text in stream.text_deltas:
        print(text, end="")
    print()
print(stream.get_final_messages()[0].content[0].text.value)

client.beta.threads.messages.create(thread.id, role="user", content="hello again")
for event in client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id, stream=True):
    if event.event != "thread.message.delta":
        print(event.event)
