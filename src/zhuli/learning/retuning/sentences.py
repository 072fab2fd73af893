"""Decisions in sentences for people, in English and Chinese."""

from zhuli.types.learning.comparison import Said

_BECAUSE = {
    "person": Said(en="A person asked for it.", zh="由人发起。"),
    "drift": Said(en="The traffic has drifted.", zh="流量发生漂移。"),
    "examples": Said(en="There are enough new accepted examples.", zh="新接受的样本已足够。"),
    "schedule": Said(en="The schedule says so.", zh="到了计划时间。"),
}


def percent(share: float) -> str:
    """0.123 → "12.3 %"."""
    return f"{100 * share:.1f} %"


def policy_set(alias: str) -> Said:
    return Said(en=f"The policy of '{alias}' was set.", zh=f"已设定“{alias}”的策略。")


def version_asked(entries: int) -> Said:
    return Said(
        en=f"{entries} examples have come in: a version of the data set is made of them.",
        zh=f"新增 {entries} 条样本：开始制作数据集的新版本。",
    )


def triggered(because: str) -> Said:
    why = _BECAUSE[because]
    return Said(en=f"A candidate is made. {why.en}", zh=f"开始制作候选模型。{why.zh}")


def tuning_started(job: str) -> Said:
    return Said(en=f"The fine-tuning job {job} makes it.", zh=f"由微调任务 {job} 训练。")


def tuned(model: str) -> Said:
    return Said(
        en=f"The model '{model}' is there, and is held against the champion.",
        zh=f"模型“{model}”已就绪，将与现用模型比较。",
    )


def to_be_signed(model: str) -> Said:
    return Said(
        en=f"'{model}' answers chats, which can't be judged record by record: a person must sign. /v1/evals compares the two.",
        zh=f"“{model}”用于对话，无法逐条评判：需由人签字。请用 /v1/evals 比较两者。",
    )


def shadowed(model: str, requests: int) -> Said:
    return Said(
        en=f"'{model}' is asked beside the champion for {requests} requests, and not heard.",
        zh=f"“{model}”作为影子与现用模型一同应答 {requests} 个请求，其回答不返回给用户。",
    )


def shared(model: str, share: float) -> Said:
    return Said(
        en=f"'{model}' answers {percent(share)} of the threads and users.",
        zh=f"“{model}”应答 {percent(share)} 的会话和用户。",
    )


def promoted(model: str, champion: str | None) -> Said:
    return Said(
        en=f"'{model}' answers all, where '{champion}' did before.", zh=f"“{model}”取代“{champion}”应答全部请求。"
    )


def settled(model: str, requests: int) -> Said:
    return Said(
        en=f"'{model}' has answered {requests} requests and stays.", zh=f"“{model}”已应答 {requests} 个请求，正式留用。"
    )


def rolled_back(model: str | None, champion: str | None, why: Said) -> Said:
    return Said(
        en=f"'{model}' goes back, '{champion}' answers all. {why.en}",
        zh=f"撤回“{model}”，由“{champion}”应答全部请求。{why.zh}",
    )


def failed(why: str) -> Said:
    return Said(en=f"Nothing came of it: {why}", zh=f"未成功：{why}")


def signed(by: str, *, approve: bool) -> Said:
    return Said(en=f"{by} {'signed' if approve else 'declined'}.", zh=f"{by} 已{'批准' if approve else '否决'}。")


def contradicted(label: str, champion: str, number: int, share: float, *, passed: bool) -> Said:
    """share: of the new examples of the label."""
    en = f"Of {number} new examples of '{label}' the champion surely takes {percent(share)} for '{champion}'"
    zh = f"“{label}”的 {number} 个新样本中，现用模型有 {percent(share)} 确信为“{champion}”"
    if passed:
        return Said(en=f"{en}, which is within what is allowed.", zh=f"{zh}，在允许范围内。")
    return Said(
        en=f"{en}: the labels contradict what it knows, and may be poisoned.",
        zh=f"{zh}：标注与已有知识矛盾，可能被投毒。",
    )


def drifted(messages: int, tests: list[str], groups: list[str]) -> Said:
    named = "; ".join(groups) or "none that are alike"
    return Said(
        en=f"The traffic has drifted within {messages} messages, seen in {', '.join(tests)}. New: {named}.",
        zh=f"流量在 {messages} 条消息内发生漂移，见于 {'、'.join(tests)}。新内容：{'；'.join(groups) or '无相似的一组'}。",
    )
