"""The frameworks of docs/frameworks.md: what is installed to try each, and which program is run."""

from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"

LIGHT = ("langchain-openai==1.7.4", "openai-agents==0.24.0", "pydantic-ai-slim[openai]==2.68.0")
"""Their pins agree, so one environment holds all three, and the suite tries them each time."""

NODE = "node@22.23.3"
"""What they say they need, where the machine's own Node may be older. promptfoo's binding is Linux's."""


@dataclass(frozen=True)
class Framework:
    """title: of its section on the page. requirements: pip's or npm's, with the releases that were tried."""

    title: str
    program: Path
    requirements: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.program.stem

    @property
    def expected(self) -> str:
        """What the program prints where all is as the page says."""
        return self.program.with_suffix(".txt").read_text(encoding="utf-8")


FRAMEWORKS = {
    framework.name: framework
    for framework in (
        Framework("LangChain", PROGRAMS / "langchain.py", LIGHT),
        Framework(
            "LangChain",
            PROGRAMS / "langchain_assistants.py",
            ("langchain-classic==1.0.8", "langchain-openai==1.7.4"),
        ),
        Framework(
            "LlamaIndex",
            PROGRAMS / "llama_index.py",
            (
                "llama-index-core==0.14.25",
                "llama-index-llms-openai-like==0.8.1",
                "llama-index-embeddings-openai-like==0.4.0",
            ),
        ),
        Framework("Semantic Kernel", PROGRAMS / "semantic_kernel.py", ("semantic-kernel==1.45.0",)),
        Framework("AutoGen", PROGRAMS / "autogen.py", ("autogen-agentchat==0.7.5", "autogen-ext[openai]==0.7.5")),
        Framework("openai-agents", PROGRAMS / "openai_agents.py", LIGHT),
        Framework("pydantic-ai", PROGRAMS / "pydantic_ai.py", LIGHT),
        Framework(
            "AI SDK",
            PROGRAMS / "ai_sdk.mjs",
            ("ai@7.0.173", "@ai-sdk/openai@4.0.118", "@ai-sdk/openai-compatible@3.0.92", "zod@4.6.7", NODE),
        ),
        Framework("Haystack", PROGRAMS / "haystack.py", ("haystack-ai==3.4.1",)),
        Framework("CrewAI", PROGRAMS / "crewai.py", ("crewai==1.15.30",)),
        Framework(
            "promptfoo", PROGRAMS / "promptfoo.yaml", ("promptfoo@0.123.1", "@libsql/linux-x64-gnu@0.5.29", NODE)
        ),
        Framework("mem0", PROGRAMS / "mem0.py", ("mem0ai==2.2.1",)),
    )
}
"""By the name of the program. Azure's clients are those of the SDKs, whose releases test_python_programs tries."""

SWITCHES = {
    "openai_agents": {'set_default_openai_api("chat_completions")\n': ""},
    "pydantic_ai": {"OpenAIChatModel": "OpenAIResponsesModel"},
    "langchain": {"use_responses_api=False": "use_responses_api=True", "content": "text"},
    "ai_sdk": {'zhuli.chat("gpt-4o")': 'zhuli("gpt-4o")'},
}
"""What of a program asks for chat completions, and what in its place asks for responses."""
