"""Word lists that noise is made of: what speakers fill pauses with, what sounds alike, what bilingual writers say in the other
language. Small and written for this purpose; no data set was looked at."""


def _pairs(listed: str) -> dict[str, str]:
    """Of "a=b; c=d"."""
    return dict(pair.strip().split("=") for pair in listed.split(";"))


FILLERS = {
    "en": ("um", "uh", "like", "you know", "well", "so", "hmm"),
    "zh": ("嗯", "那个", "就是", "呃", "啊", "然后"),
}

EMOJI = "😀😂🙏👍😊🤔😭🔥✨🎉💕😅"

SOUNDS_LIKE = {
    "en": _pairs(
        """
        to=too; too=to; two=too; for=four; four=for; their=there; there=their; your=you're; you're=your;
        its=it's; it's=its; know=no; no=know; right=write; write=right; buy=by; by=buy; here=hear;
        hear=here; week=weak; whether=weather; weather=whether; mail=male; where=wear; hour=our; our=hour;
        won=one; one=won; see=sea; than=then; then=than
        """
    ),
    "zh": _pairs(
        """
        在=再; 再=在; 的=得; 得=的; 地=的; 他=她; 她=他; 它=他; 那=哪; 哪=那; 做=作; 作=做; 吗=嘛; 吧=把;
        把=吧; 有=又; 是=事; 个=各; 几=己; 去=趣; 店=点; 点=店; 请=清; 帮=邦; 您=宁; 你=泥; 想=像; 像=象;
        要=药; 找=照; 近=进; 进=近; 元=员; 价=假; 园=圆; 时=十; 分=份; 以=已; 上=尚; 和=合; 为=位; 电=店;
        话=画; 知=之
        """
    ),
}
"""Words and characters that a recogniser of speech takes for each other."""

IN_THE_OTHER = {
    "en": _pairs(
        """
        book=预订; restaurant=餐厅; hotel=酒店; table=桌子; movie=电影; music=音乐; song=歌; weather=天气;
        card=卡; money=钱; account=账户; transfer=转账; payment=付款; pay=付; cash=现金; bank=银行;
        tomorrow=明天; today=今天; tonight=今晚; please=请; help=帮; want=想要; need=需要; find=找;
        play=播放; add=添加; time=时间; price=价格; cheap=便宜; expensive=贵; address=地址; phone=电话;
        number=号码; name=名字; why=为什么; how=怎么; where=哪里; when=什么时候; what=什么; my=我的;
        thanks=谢谢; yes=是的; no=不; good=好; change=换; cancel=取消; people=人; list=列表; playlist=歌单;
        star=星; rate=评分; give=给; show=显示; check=查; fee=手续费; top=充; app=应用; country=国家;
        exchange=兑换; lost=丢了; new=新的; old=旧的
        """
    ),
    "zh": _pairs(
        """
        酒店=hotel; 餐馆=restaurant; 餐厅=restaurant; 景点=attraction; 地铁=subway; 出租车=taxi;
        电话=phone; 地址=address; 价格=price; 评分=rating; 推荐=recommend; 附近=nearby; 周边=around;
        免费=free; 门票=ticket; 人均=average; 消费=spend; 时间=time; 营业=open; 名字=name; 谢谢=thanks;
        你好=hi; 您好=hello; 再见=bye; 请问=excuse me; 什么=what; 多少=how much; 怎么=how; 哪里=where;
        我想=I want; 可以=can; 预订=book; 房间=room; 早餐=breakfast; 明天=tomorrow; 今天=today; 一个=one;
        吃饭=eat; 好的=OK; 菜=dish; 游玩=play; 帮我=help me; 找=find; 查=check; 车牌=plate
        """
    ),
}
"""What stands for a word where languages are mixed: Chinese for English, and English for Chinese."""

KEYS_BESIDE = _pairs(
    """
    q=wa; w=qes; e=wrd; r=etf; t=ryg; y=tuh; u=yij; i=uok; o=ipl; p=ol; a=qsz; s=awdx; d=sefc; f=drgv;
    g=fthb; h=gyjn; j=hukm; k=jil; l=kop; z=asx; x=zsdc; c=xdfv; v=cfgb; b=vghn; n=bhjm; m=njk
    """
)
"""Letters of a QWERTY keyboard and those next to them."""
