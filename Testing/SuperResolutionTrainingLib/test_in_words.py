from SuperResolutionTrainingLib.in_words import in_words

PLAN = {
    "type": "plan", "network": "srcnn", "parameters": 9, "steps": 50, "minutes": 0.0, "first_step": 0, "device": "cpu",
    "precision": "float32", "processes": 1, "train": ["a", "b"], "validation": ["c"],
}  # fmt: skip


def test_a_plan_is_one_line():
    assert in_words(PLAN) == "srcnn, 9 weights, 50 steps on cpu in float32; 2 subjects to train on, 1 for validation"
    more = in_words(PLAN | {"minutes": 3.0, "first_step": 7, "processes": 2})
    assert more.startswith("srcnn, 9 weights, 50 steps or 3 minutes, from step 7 on cpu in float32, 2 processes;")


def test_progress_says_step_loss_and_time():
    message = {"type": "progress", "step": 5, "steps": 50, "loss": 0.125, "seconds": 3.2, "seconds_left": 28.8}
    assert in_words(message) == "step 5 of 50, loss 0.12500, 3 s, 29 s left"
    assert in_words(message | {"seconds_left": None}) == "step 5 of 50, loss 0.12500, 3 s"


def test_a_validation_is_set_against_cubic():
    figures = {"psnr": 30.123, "psnr_cubic": 28.0, "ncc": 0.98765, "ncc_cubic": 0.9, "ssim": 0.95, "ssim_cubic": 0.9}
    line = in_words({"type": "validation", "step": 5, "best": True} | figures)
    assert line == (
        "validation at step 5: PSNR 30.12 (cubic 28.00), NCC 0.9877 (cubic 0.9000), SSIM 0.9500 (cubic 0.9000), the best so far"
    )


def test_a_result_says_where_the_model_is_and_what_it_gains():
    message = {"type": "result", "model": "/out/x.safetensors", "step": 40, "seconds": 61.0, "gain_db": {"2": 1.5}}
    assert in_words(message) == "/out/x.safetensors: of step 40, 61 s of training; gain over cubic, with the measurement check: x2 +1.50 dB"
    assert in_words(message | {"gain_db": {}}).endswith("not measured")


def test_what_says_nothing_to_people_is_left_out():
    assert in_words({"type": "started", "pid": 7}) == ""
