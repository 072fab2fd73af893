"""Make a thread and run it in one call: polled, then streamed."""

from openai import OpenAI

client = OpenAI()
assistant = client.beta.assistants.create(model="gpt-4o")
thread = {"messages": [{"role": "user", "content": "hello"}], "metadata": {"user": "Ann"}}

run = client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=thread)
print(run.status)
print(client.beta.threads.retrieve(run.thread_id).metadata)
print(client.beta.threads.messages.list(run.thread_id).data[0].content[0].text.value)

with client.beta.threads.create_and_run_stream(assistant_id=assistant.id, thread=thread) as stream:
    first = next(iter(stream))
    print(first.event)
    print(stream.get_final_run().status)
    print(stream.get_final_messages()[0].content[0].text.value)

client.beta.threads.delete(run.thread_id)
print(client.beta.assistants.delete(assistant.id).deleted)
