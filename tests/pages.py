"""URLs of every kind of page, in many states."""

from tests.shipped import LESSONS

LESSON = "/multi-head-attention"
STEP_PATHS = [f"/{lesson.slug}/{step.slug}" for lesson in LESSONS for step in lesson.steps]
"""Every step of every lesson in lessons/."""
PAGES = [
    "/",
    "/docs",
    "/models",
    "/models/headwise-h8",
    "/models/headwise-h4-random",
    "/nowhere",
    "/offline",
    *(f"{path}?cell=0.1&minus=headwise-h1.0&layer=1" for path in STEP_PATHS),
    f"{LESSON}/2?causal=1&show=lines",
    f"{LESSON}/1?show=strip",
    f"{LESSON}/6?show=grid",
    f"{LESSON}/7?lock=1&head=3",
    f"{LESSON}/5?off=0.1&check=width&predict=0",
    f"{LESSON}/6?text={'the+cat+' * 20}",
    f"{LESSON}/1?model=h3",
    f"{LESSON}/why-one-head-is-not-enough/numbers",
    f"{LESSON}/why-one-head-is-not-enough/handout?text=Birds+sing",
    f"{LESSON}/heads-in-real-models/handout?answers=1",
    f"{LESSON}/3?embed=1",
    f"{LESSON}/end",
    "/assign",
    f"/assign?step={LESSON}/concatenate-then-mix&text=Birds+sing&fixed=text&note=Hello",
    "/assign?text=" + "cat+" * 60,
    "/assign/codes?lines=a+line",
]

CHECKPOINT_PAGES = [
    "/models",
    "/models/llama",
    f"{LESSON}/1?model=bert&show=overview&layer=2&head=1&v=1",
    f"{LESSON}/1?model=llama&text={'the+cat+' * 20}&show=overview",
    f"{LESSON}/2?model=llama&cell=2.1&hide=1",
    f"{LESSON}/3?model=gpt2",
    f"{LESSON}/4?model=bert-base&unscaled=1",
    f"{LESSON}/5?model=gpt2&off=0.1&word=2",
    f"{LESSON}/5?model=bert-base",
    f"{LESSON}/6?model=roberta&shuffled=1&show=strip&hide=1",
    f"{LESSON}/7?model=llama&show=grid",
    f"{LESSON}/7?model=deep&show=overview",
    f"{LESSON}/why-one-head-is-not-enough/handout?model=llama&answers=1",
]
"""Pages of a server with the checkpoints of `tests.models.checkpoints.tiny_checkpoints`."""
