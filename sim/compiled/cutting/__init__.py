"""Cuts flows into functions that resume where they left: the small compiler behind `sim/compiled/flows`.

A flow is a generator over declared rows that reads like the model it mirrors:

    @flow
    def in_time(s: State, own: Task, call: Call, inner: Inner) -> Waits[int]:
        if call.lane is not None:
            arm(s, call.lane, own)
        outcome = yield from inner(s, own, call)
        own.ticket += 1
        return outcome

It never runs as it stands. Cut, it is a plain function over places in tables, which leaves at each `yield`, remembers
by a number in its task (`own.phase`) where it was, and comes back there. `python sim/compiled/cutting/write.py` writes
what is cut into `sim/compiled/written`, since machine code is kept by what stands in files; a test sees that it is up
to date. The rules, each refused with flow and line where it is broken:

1. Parameters are rows, annotated: `own: Task, call: Call`; `s` is the state. The task of a flow is called `own`.
2. `yield` stands alone and tells nothing, or the name of its place (`yield PAUSED`), a number that others know.
3. `yield from part(s, own, ...)` and `x = yield from part(...)` write the part out in its place; `return` in a part
   goes on behind it. A flow that never waits is called without `yield from`.
4. `inner` is the next layer of a `fold`. A layer asks itself whether the call has it: one function does for all.
5. A reference leads to its row: `call.target.where`. One that may be nobody is asked by `is None`; a row has no truth.
6. What must outlive a wait lies in a field. A local may outlive it only where it can be worked out anew: from
   parameters, fixed fields and `lasting` functions. It is then made once at the top of each resumption.
7. A function of the engine is handed places, or a row where it asks for one; a policy is handed rows. Nothing else
   is called but `min`, `max`, `abs`, `float`.
8. `if`, `while`, `for` over a range, assignments to locals and fields, calls. No wait inside of a `for`, no `try`,
   no containers, no keyword arguments.
9. What leads back without a wait (a retry at once) leaves with AGAIN: the interpreter looks whether something must
   grow, and comes back. So what remains has no circle.

Two things decide what is written. LLVM must see through it: what a function is resumed at (`pc`) and where it is led
(`to`) are two variables, tests stand in a row, and no loop is around them. And numba compiles a function anew for each
literal that it is handed, so literals become constants.
"""
