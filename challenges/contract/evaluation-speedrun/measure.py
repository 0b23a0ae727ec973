"""The speedrun with stages that do nothing but note that they ran: order, flags, going on, starting again."""

PRODUCTS = ("mm", "matmul", "__matmul__")


def draw(rng):
    """The stage that is interrupted; the rates of a machine, the fastest last but for what is too late."""
    rates = [round(rng.uniform(1e9, 2e9)) for _ in range(4)]
    return {"interrupted": rng.randrange(1, 4), "rates": [rates[0], rates[1], 3e9, rates[2], rates[3], 5e9]}


def measure(inputs):
    """Which stages run with which flags, what is refused, and how fast the machine is said to be."""
    from bughunt.lab.measuring.flushing import flushes_noted
    from bughunt.lab.measuring.fresh import freshly_imported
    from bughunt.lab.measuring.speedrun_stages import SCRIPTS

    with freshly_imported("scripts.speedrun", *(f"scripts.{name}" for name in SCRIPTS)), flushes_noted():
        from scripts import speedrun

        plain = speedrun.Settings()
        return {
            "defaults": [plain.scale, plain.overwrite, plain.device],
            "recipes": speedrun.RECIPES,
            "questions": speedrun.QUESTIONS,
            "stages": stages(speedrun, SCRIPTS[inputs["interrupted"]]),
            "rate": rate(speedrun, inputs["rates"]),
        }


def stages(speedrun, interrupted):
    """What runs at first, after an interruption, when all is done, with another recipe, and anew."""
    from nanochat.checkpoint_manager import latest_step, save_checkpoint
    from nanochat.common import UserError

    from bughunt.lab.measuring.base_folder import base_folder
    from bughunt.lab.measuring.speedrun_stages import stages_replaced

    def run(die_at=None, **settings):
        def stage(name, flags):
            if name == die_at:
                raise InterruptedError
            ran.append([name, *flags])

        ran = []
        try:
            with stages_replaced(stage):
                state = speedrun.run_stages(folder, speedrun.Settings(device="cpu", **settings))
        except (UserError, InterruptedError) as error:
            return [type(error).__name__, *ran]
        return [state["scale"], sorted(state["seconds"]), sorted(state["commands"]), *ran]

    data = {}
    with base_folder() as folder:
        data["interrupted"] = run(interrupted)
        data["gone on"] = run()
        data["all is done"] = run()
        data["another recipe"] = run(scale="hours")
        save_checkpoint(folder / "base", 3, {}, [], {})
        data["anew"] = [run(scale="gpu", overwrite=True), latest_step(folder / "base")]
    with base_folder() as folder:
        data["interrupted at once"] = [run("tok_train"), run(scale="hours"), run()]
    with base_folder() as folder:
        data["anew where nothing is"] = run(overwrite=True)
    for name in ("base", "sft"):
        with base_folder() as folder:
            save_checkpoint(folder / name, 3, {}, [], {})
            refused = [run(), latest_step(folder / name)]
            anew = [run(overwrite=True), latest_step(folder / name)]
            data[f"a model of another kind in {name}"] = [refused, anew]
    return data


def rate(speedrun, rates):
    """Operations per second, told in billions, on a machine with these rates for products one by one."""
    import torch
    from torch.overrides import TorchFunctionMode

    from bughunt.lab.measuring.told_clock import told_clock

    coming = iter(rates)

    class Machine(TorchFunctionMode):
        """Its clock moves on by what each product of matrices (M, K) and (K, N) takes: 2MKN operations."""

        def __torch_function__(self, function, types, arguments=(), options=None):
            result = function(*arguments, **(options or {}))
            if function.__name__ in PRODUCTS:
                operations = 2 * result.numel() * arguments[0].size(1)
                clock.seconds += operations / next(coming, rates[-1])
            return result

    random_state = torch.get_rng_state()
    with told_clock() as clock, Machine():
        found = speedrun.matmul_rate(16, repeats=3)
    torch.set_rng_state(random_state)
    return found / 1e9
