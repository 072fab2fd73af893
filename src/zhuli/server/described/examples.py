"""What the API's description shows of each operation: a body as an app would send it, and ids as they look. Pure.

Bodies are named by their routes' functions; a test holds each to the type that the route takes.
"""

from typing import Any

IDS: dict[str, str] = {
    "alert_id": "opal_abc123",
    "alias": "support",
    "assistant_id": "asst_abc123",
    "audit_id": "audit_abc123",
    "batch_id": "vsfb_abc123",
    "candidate_id": "cand_abc123",
    "conversation_id": "conv_abc123",
    "checkpoint": "ft:minilm:intents:ckpt-step-10",
    "completion_id": "chatcmpl-abc123",
    "dataset_id": "ds_abc123",
    "decision_id": "dec_abc123",
    "deletion_id": "eud_abc123",
    "desk_id": "desk_abc123",
    "domain_id": "dom_abc123",
    "eval_id": "eval_abc123",
    "feedback_id": "fb_abc123",
    "file_id": "file-abc123",
    "fine_tuning_job_id": "ftjob-abc123",
    "item_id": "wire-4711",
    "kind": "completions",
    "handoff_id": "hand_abc123",
    "message_id": "msg_abc123",
    "model": "gpt-4o",
    "monitor_id": "opmon_abc123",
    "output_item_id": "outputitem_abc123",
    "permission": "cp_abc123",
    "recommender_id": "rec_abc123",
    "proposal_id": "prop_abc123",
    "response_id": "resp_abc123",
    "run_id": "run_abc123",
    "step_id": "step_abc123",
    "task_id": "dtask_abc123",
    "thread_id": "thread_abc123",
    "training_id": "rtr_abc123",
    "upload_id": "upload_abc123",
    "user_id": "ann@example.com",
    "vector_store_id": "vs_abc123",
    "version_id": "dsv_abc123",
    "work_id": "suptask_abc123",
}
"""By the names of path parameters."""

_QUESTION = [{"role": "user", "content": "Where is my order 4711?"}]
_DOMAIN = {
    "name": "Restaurant",
    "languages": ["en", "zh"],
    "intents": [
        {
            "name": "book",
            "examples": ["a table for [two](people) [tomorrow](date)", "帮我订一张[四](people)人桌"],
            "form": "booking",
        },
    ],
    "entities": [{"name": "people", "kind": "number"}, {"name": "date", "kind": "date"}],
    "slots": [
        {"name": "people", "type": "number", "prompt": "For how many people?"},
        {"name": "date", "type": "date", "prompt": "On which day?"},
    ],
    "forms": [
        {
            "name": "booking",
            "slots": ["people", "date"],
            "action": {"type": "call", "function": "book_table", "arguments": {"people": "{people}"}},
        },
    ],
}

BODIES: dict[str, Any] = {
    "create_assistant": {
        "model": "gpt-4o",
        "name": "Support",
        "instructions": "Answer from the files, in one sentence.",
        "tools": [{"type": "file_search"}],
        "tool_resources": {"file_search": {"vector_store_ids": ["vs_abc123"]}},
    },
    "modify_assistant": {"instructions": "Answer in the user's language."},
    "create_thread": {"messages": _QUESTION, "metadata": {"customer": "ann"}},
    "modify_thread": {"metadata": {"customer": "ann"}},
    "create_response": {
        "model": "gpt-4o",
        "instructions": "Answer in one sentence.",
        "input": "Where is my order 4711?",
    },
    "create_conversation": {"items": _QUESTION, "metadata": {"customer": "ann"}},
    "modify_conversation": {"metadata": {"customer": "ann"}},
    "create_items": {"items": _QUESTION},
    "create_message": {"role": "user", "content": "And when will it come?"},
    "modify_message": {"metadata": {"read": "yes"}},
    "create_run": {"assistant_id": "asst_abc123", "stream": True},
    "create_thread_and_run": {"assistant_id": "asst_abc123", "thread": {"messages": _QUESTION}},
    "modify_run": {"metadata": {"seen": "yes"}},
    "submit_tool_outputs": {"tool_outputs": [{"tool_call_id": "call_abc123", "output": "sunny, 24 degrees"}]},
    "create_chat_completion": {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Say hello."}],
        "stream": True,
    },
    "modify_chat_completion": {"metadata": {"good": "yes"}},
    "create_completion": {"model": "gpt-4o", "prompt": "Once upon a time", "max_tokens": 64},
    "create_embeddings": {"model": "text-embedding-3-small", "input": ["a red bicycle", "一辆红色的自行车"]},
    "create_vector_store": {"name": "Manuals", "file_ids": ["file-abc123"]},
    "modify_vector_store": {"name": "Manuals of 2026"},
    "search_vector_store": {"query": "How is the filter changed?", "max_num_results": 5},
    "attach_file": {"file_id": "file-abc123", "attributes": {"year": 2026}},
    "modify_vector_store_file": {"attributes": {"year": 2027}},
    "create_file_batch": {"file_ids": ["file-abc123", "file-def456"]},
    "create_upload": {
        "filename": "manual.pdf",
        "purpose": "assistants",
        "bytes": 73400320,
        "mime_type": "application/pdf",
    },
    "complete_upload": {"part_ids": ["part_abc123", "part_def456"]},
    "create_domain": _DOMAIN,
    "modify_domain": {"name": "Restaurant", "timezone": "Asia/Shanghai"},
    "check_domain": _DOMAIN,
    "import_domain": {"format": "rasa", "files": {"domain.yml": "intents: [greet]", "data/nlu.yml": "nlu: []"}},
    "create_example": {"intent": "book", "text": "could we eat with you tonight"},
    "test_domain": {"folds": 5},
    "create_understanding": {"domain": "dom_abc123", "input": "a table for five tomorrow"},
    "give_state": {"slots": {"people": 5}},
    "create_fine_tuning_job": {
        "model": "minilm",
        "training_file": "file-abc123",
        "task": "text_classification",
        "suffix": "intents",
    },
    "create_prediction": {"model": "ft:minilm::intents", "input": "my card was stolen", "top_k": 3, "explain": True},
    "move_alias": {"model": "ft:minilm::intents"},
    "set_policy": {
        "dataset": "ds_abc123",
        "triggers": {"drift": True},
        "gate": {"margins": {"regression": 0.005}},
        "stages": {"shadow_requests": 200, "share": 0.1, "share_requests": 200},
    },
    "propose_candidate": {"model": "ft:minilm::intents-2"},
    "sign_decision": {"approve": True, "by": "Ann"},
    "create_feedback": {
        "target": {"type": "message", "id": "msg_abc123"},
        "verdict": "down",
        "comment": "It is the other order.",
    },
    "create_batch": {"data": [{"target": {"type": "run", "id": "run_abc123"}, "verdict": "up"}]},
    "import_feedback": {"file": "file-abc123"},
    "create_review": {"state": "accepted", "reviewer": "Bo"},
    "create_dataset": {"name": "Intents", "task": "text_classification"},
    "create_entries": {"data": [{"kind": "add", "record": {"text": "my card was stolen", "label": "card_stolen"}}]},
    "create_import": {"file": "file-abc123"},
    "create_version": {"validation_share": 0.1},
    "look_for_noise": {"version": "dsv_abc123"},
    "label_weakly": {"texts": ["my card was stolen"], "models": ["ft:minilm::intents"]},
    "create_monitor": {
        "name": "Suppliers",
        "companies": [{"id": "acme", "name": "Acme Corp", "tickers": ["ACM"], "names_zh": ["艾克美"]}],
        "models": {"en": {"sentiment": "sentiment-en", "company_sentiment": "company-sentiment-en"}},
    },
    "modify_monitor": {"alerts": {"false_alarms_per_month": 0.5}},
    "push_items": {
        "data": [
            {"id": "wire-4711", "text": "Acme falls as Globex gains.", "source": "wire", "published_at": 1750000000}
        ]
    },
    "acknowledge_alert": {"by": "Ann", "comment": "The press office knows."},
    "silence_alert": {"by": "Ann", "hours": 24},
    "create_eval": {
        "name": "Capitals",
        "data_source_config": {
            "type": "custom",
            "item_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
        "testing_criteria": [
            {
                "type": "string_check",
                "name": "right",
                "operation": "eq",
                "input": "{{sample.output_text}}",
                "reference": "{{item.city}}",
            }
        ],
    },
    "modify_eval": {"name": "Capitals of Europe"},
    "create_eval_run": {
        "name": "gpt-4o",
        "data_source": {
            "type": "completions",
            "model": "gpt-4o",
            "source": {"type": "file_content", "content": [{"item": {"country": "France", "city": "Paris"}}]},
            "input_messages": {
                "type": "template",
                "template": [{"role": "user", "content": "The capital of {{item.country}}? One word."}],
            },
        },
    },
    "compare_eval_runs": {"before": "evalrun_abc123", "after": "evalrun_def456"},
    "create_moderation": {"input": "You are an idiot."},
    "put_thresholds": {"thresholds": {"harassment": 0.7}},
    "create_recommender": {"name": "books"},
    "put_items": {
        "data": [{"id": "b1", "text": "The Chess Players. A novel.", "categories": ["chess"], "price": 12.5}],
    },
    "add_events": {"data": [{"id": "e1", "user": "ann", "item": "b1", "kind": "buy", "at": 1764000000}]},
    "recommend": {"user": "ann", "limit": 5, "explain": True, "controls": {"diversity": 0.3}},
    "find_similar": {"text": "a tournament", "limit": 5},
    "create_training": {},
    "create_desk": {"name": "Shop", "languages": ["en"], "risks": [{"name": "recall", "words": ["recall"]}]},
    "modify_desk": {"operating_point": 0.7},
    "import_transcripts": {"file": "file-abc123"},
    "publish_desk": {"accept": 5},
    "evaluate_desk": {"most": 200, "cost_of_contact": 4.5},
    "create_proposal": {
        "kind": "answer",
        "name": "refund",
        "content": {"text": "Refunds reach your account within five working days."},
    },
    "modify_proposal": {"status": "accepted"},
    "claim_handoff": {"agent": "ann"},
    "answer_handoff": {"agent": "ann", "text": "I have paid it out today."},
    "return_handoff": {"agent": "ann", "to": "queue"},
    "create_audit": {"model": "ft:minilm::intents", "language": "en"},
}
"""A body for each operation that takes JSON."""
