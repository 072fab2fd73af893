"""What people also say to an assistant, whatever it is for: texts that hardly any domain has an intent for.

A domain with few intents teaches little about what is outside of it; these stand for the rest of the world. Those that are
near a domain's own examples are not to be used against it (head_learning).
What ordinary services are there for is left out: illness, repairs, breakdowns.
"""

SMALL_TALK = {
    "en": (
        "who was the first person on the moon", "what is the capital of australia", "how do magnets work",
        "tell me about the french revolution", "why is the sky blue", "how many bones does a human body have",
        "who painted the mona lisa", "what does photosynthesis mean", "is there life on other planets",
        "my cat keeps scratching the sofa", "i had a strange dream last night", "do you think my brother is right",
        "what should i name my puppy", "my neighbour plays the drums all day", "i can't sleep", "i feel lonely today",
        "is coffee bad for the heart",
        "write a poem about autumn", "write me a python function that sorts a list", "fix the bug in this code",
        "give me ideas for a birthday party", "summarize this article for me", "solve x squared minus four equals zero",
        "what is seventeen times twenty three", "explain quantum computing to a child",
        "how do i remove a wine stain", "how long does it take to boil an egg",
        "how do i tie a tie", "when should i plant tomatoes",
        "who won the world cup in 1998", "did the lakers win yesterday", "what is a good workout for beginners",
        "which shoes should i wear to a wedding", "does this colour suit me", "is it rude to arrive late",
        "what do you think about politics", "should people pay more taxes", "who will win the election",
        "are you a robot", "how old are you", "what is your favourite film", "do you love me", "you are stupid",
        "tell me a joke", "sing a song for me", "what is the meaning of life", "let us play a game",
        "blah blah blah", "asdf qwer zxcv", "hjkl fdsa", "12 34 56 78", "lorem ipsum dolor sit amet", "???", "hmm",
        "the train was late again and nobody said anything", "she moved to norway with her two dogs",
        "we watched the sunset from the roof", "the museum bought three old maps", "he forgot his umbrella in the bus",
    ),
    "zh": (
        "第一个登上月球的人是谁", "澳大利亚的首都是哪里", "磁铁的原理是什么", "给我讲讲法国大革命", "天空为什么是蓝色的",
        "人体有多少块骨头", "蒙娜丽莎是谁画的", "什么是光合作用", "外星人存在吗", "我家的猫总是抓沙发", "我昨晚做了个奇怪的梦",
        "你觉得我弟弟说得对吗", "给我的小狗起个名字吧", "邻居整天打鼓", "我睡不着", "今天有点孤单",
        "喝咖啡对心脏不好吗", "写一首关于秋天的诗", "帮我写一个排序的程序", "这段代码哪里错了",
        "帮我总结一下这篇文章", "十七乘以二十三等于多少", "给小孩解释一下量子计算", "红酒渍怎么去掉", "鸡蛋要煮多久",
        "领带怎么打", "西红柿什么时候种", "九八年世界杯谁赢了", "新手怎么健身", "这个颜色适合我吗",
        "迟到是不是不礼貌", "你怎么看政治", "谁会赢得选举", "你是机器人吗", "你几岁了", "你最喜欢的电影是什么", "你爱我吗",
        "你真笨", "讲个笑话", "给我唱首歌", "人生的意义是什么", "我们来玩个游戏吧", "啊啊啊啊", "哈哈哈", "嗯", "1234567",
        "火车又晚点了", "她带着两只狗搬到了挪威", "我们在屋顶上看日落", "博物馆买了三张旧地图", "他把雨伞忘在公交车上了",
    ),
}  # fmt: skip

ANSWERS = {
    "en": (
        "yes", "yes please", "yeah", "yep", "sure", "ok", "okay", "of course", "that is correct", "yes, that's right", "right",
        "exactly", "sounds good", "that works", "no", "no thanks", "no, thank you", "nope", "not really", "that is wrong",
        "none", "nothing", "i don't know", "i'm not sure", "it doesn't matter", "what?", "cancel", "stop", "never mind", "wait",
        "actually", "thanks", "thank you", "please", "hello", "bye",
    ),
    "zh": (
        "是", "是的", "对", "对的", "没错", "好", "好的", "可以", "行", "嗯", "没问题", "当然", "不", "不是", "不对", "不要",
        "不用", "不用了", "没有", "算了", "取消", "不知道", "不清楚", "都可以", "随便", "无所谓", "等一下", "什么", "谢谢",
        "你好", "再见",
    ),
}  # fmt: skip
"""What is said to a question, or by the way, and names nothing: no entity, and no intent unless a domain has one for it."""
