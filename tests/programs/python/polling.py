"""Ask a question and poll for the answer."""

from openai import OpenAI

client = OpenAI()

assistant = client.beta.assistants.create(model="gpt-4o", name="Guide", instructions="You know the town.")
thread = client.beta.threads.create()
client.beta.threads.messages.create(thread.id, role="user", content="Where is the station?")

run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
print(run.status)

messages = client.beta.threads.messages.list(thread_id=thread.id, run_id=run.id)
for message in messages:
    for part in message.content:
        if part.type == "text":
            print(f"{message.role}: {part.text.value}")

run = client.beta.threads.runs.create(thread_id=thread.id, assistant_id=assistant.id)
run = client.beta.threads.runs.poll(run.id, thread_id=thread.id)
print(run.status)
print(len(list(client.beta.threads.runs.list(thread.id))))
