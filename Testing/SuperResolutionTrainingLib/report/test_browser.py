"""The report in a browser: nothing sticks out of a narrow or a wide window, every picture can be decoded, a press shows the truth."""

import base64
import json
import os
import re
import shutil
import subprocess

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)

# Runs in the report; its answer goes to the page around it, since a window of a browser without a screen is never narrower than 500 px.
PROBE = """
<script>
addEventListener("load", () => {
  const images = [...document.images];
  const drawn = (image) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return image.complete && new Set(context.getImageData(0, 0, canvas.width, canvas.height).data).size > 2;
  };
  const group = document.querySelector(".panels");
  const [own, truth] = [group.querySelector(".panel .plane img"), group.querySelector(".truth .plane img")];
  const before = own.src;
  own.click();
  const blinked = before !== truth.src && own.src === truth.src;
  own.click();
  const box = [...document.querySelectorAll(".box")].some((each) => each.scrollWidth > each.clientWidth);
  parent.postMessage(JSON.stringify({
    window: innerWidth, page: document.documentElement.scrollWidth, tall: document.documentElement.scrollHeight,
    images: images.length, decoded: images.filter(drawn).length,
    blinks: blinked && own.src === before, scrolls: box, narrowest: Math.min(...images.map((image) => image.clientWidth)),
  }), "*");
});
</script>
"""
FRAME = """<!DOCTYPE html><body style="margin: 0"><p id="answer"></p><script>
addEventListener("message", (event) => { document.getElementById("answer").textContent = btoa(event.data); });
</script><iframe src="probed.html" style="border: 0; width: WIDTHpx; height: 900px"></iframe>"""


@pytest.fixture
def opened(tmp_path):
    """Return what opens a page in a frame of some width and asks it how it looks."""

    def ask(html, width):
        (tmp_path / "probed.html").write_text(html.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
        (tmp_path / "frame.html").write_text(FRAME.replace("WIDTH", str(width)), encoding="utf-8")
        options = ["--headless", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1600,1000"]
        options += ["--virtual-time-budget=5000", "--dump-dom"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # the browser refuses to run as root with it
        command = [BROWSER, *options, (tmp_path / "frame.html").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        answer = re.search(r'<p id="answer">([\w+/=]+)</p>', done.stdout)
        assert answer, done.stderr[-2000:]
        return json.loads(base64.b64decode(answer[1]))

    return ask


@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on the PATH")
@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_fits_the_window(make_record, report, opened, width):
    long = "a_network_with_a_name_that_is_as_long_as_names_of_files_are"
    models = ["cubic", "linear", long, *(f"network_{number}" for number in range(5))]
    subjects = ["anna", "a_subject_whose_name_is_a_very_long_one_without_any_space_in_it"]
    html = report(make_record(models=models, subjects=subjects, profiles=("mean", "gaussian"), planes=True, tests=width < 400)).html
    found = opened(html, width)
    assert found["window"] == width and found["page"] <= width
    assert found["decoded"] == found["images"] == html.count("<img ") > 0
    assert found["blinks"] and found["tall"] > 2000 and found["narrowest"] > 100
    assert found["scrolls"] or width > 400  # tables scroll inside their boxes
