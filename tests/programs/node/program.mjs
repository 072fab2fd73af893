// The Node SDK's stream helper, its polling and its tools, as an app's author uses them. Prints one line a step.

import OpenAI from "openai";

const client = new OpenAI();

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

const assistant = await client.beta.assistants.create({ model: "gpt-4o", tools: [weather] });

async function newThread(content) {
  return client.beta.threads.create({ messages: [{ role: "user", content }] });
}

function outputsFor(run) {
  return run.required_action.submit_tool_outputs.tool_calls.map((call) => {
    const { city } = JSON.parse(call.function.arguments);
    console.log(`looking up ${city}`);
    return { tool_call_id: call.id, output: `sunny in ${city}` };
  });
}

// An answer, streamed.
let thread = await newThread("tell a story");
let text = "";
const answer = client.beta.threads.runs
  .stream(thread.id, { assistant_id: assistant.id })
  .on("textCreated", () => console.log("text created"))
  .on("textDelta", (delta) => (text += delta.value ?? ""))
  .on("textDone", (content) => console.log(`text done: ${content.value}`))
  .on("messageDone", (message) => console.log(`message ${message.status}`))
  .on("runStepDone", (step) => console.log(`step ${step.type} ${step.status}`));
console.log(`run ${(await answer.finalRun()).status}`);
console.log(text);
console.log((await answer.finalMessages()).length, (await answer.finalRunSteps()).length);

// Text and two functions in one turn, streamed; then their outputs, streamed.
thread = await newThread("look it up and say so");
const calling = client.beta.threads.runs
  .stream(thread.id, { assistant_id: assistant.id })
  .on("toolCallCreated", (call) => console.log(`calling ${call.function.name}`))
  .on("toolCallDone", (call) => console.log(`called with ${call.function.arguments}`));
let run = await calling.finalRun();
console.log(`run ${run.status}`);
const submitting = client.beta.threads.runs.submitToolOutputsStream(run.id, {
  thread_id: thread.id,
  tool_outputs: outputsFor(run),
});
console.log(`run ${(await submitting.finalRun()).status}`);
console.log((await submitting.finalMessages())[0].content[0].text.value);

// The same by polling.
thread = await newThread("weather in Paris and Rome?");
run = await client.beta.threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
console.log(`run ${run.status}`);
run = await client.beta.threads.runs.submitToolOutputsAndPoll(run.id, {
  thread_id: thread.id,
  tool_outputs: outputsFor(run),
});
console.log(`run ${run.status}`);

// A thread and its run in one stream; a run that is cancelled; one that fails.
const both = client.beta.threads.createAndRunStream({
  assistant_id: assistant.id,
  thread: { messages: [{ role: "user", content: "hello" }] },
});
console.log(`run ${(await both.finalRun()).status}`);

thread = await newThread("begin and stall");
const cancelled = client.beta.threads.runs.stream(thread.id, { assistant_id: assistant.id });
cancelled.on("textDelta", () => {
  client.beta.threads.runs.cancel(cancelled.currentRun().id, { thread_id: thread.id });
});
console.log(`run ${(await cancelled.finalRun()).status}`);

thread = await newThread("begin and cut");
const failed = client.beta.threads.runs.stream(thread.id, { assistant_id: assistant.id });
console.log(`run ${(await failed.finalRun()).status}`);

for await (const message of client.beta.threads.messages.list(thread.id, { limit: 1 })) {
  console.log(`${message.role} ${message.status}`);
}
