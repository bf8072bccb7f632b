"""The report in Chromium, held against arrays that Python computes from the same run.

Skipped without the extra `browser`, Chromium and its driver.
"""

import base64
import dataclasses
import io
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.report import report
from keras_filtergan.report.explorer import Explorer
from keras_filtergan.report.source import Source
from keras_filtergan.runs.run_directory import RunDirectory

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver"),
]


@pytest.fixture(scope="module")
def shown(finished, tmp_path_factory) -> tuple[Explorer, Path]:
    """The report of a run with an independent network, and what it was made of."""
    source = Source.of(RunDirectory(finished[1]))
    other = build_classifier((12, 12, 1), 3, widths=(4, 4, 4, 4, 4), seed=5)
    source = dataclasses.replace(source, independent=other)
    kept = []

    def explore(*args):
        kept.append(report_explore(*args))
        return kept[-1]

    report_explore, report.explore = report.explore, explore
    try:
        text = report.render(source)
    finally:
        report.explore = report_explore
    path = tmp_path_factory.mktemp("browser") / "report.html"
    path.write_text(text)
    return kept[0], path


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,1000"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, shown):
    """The page, just opened, on a screen of 1280 pixels."""
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(shown[1].as_uri())
    wait(browser, "document.querySelector('#explorer').dataset.row !== undefined")
    return browser


def wait(browser, condition: str, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not browser.execute_script(f"return Boolean({condition})"):
        assert time.monotonic() < end, condition
        time.sleep(0.01)


def state(browser) -> dict:
    found = browser.execute_script("return {...document.querySelector('#explorer').dataset}")
    return {k: v if k == "method" else int(v) for k, v in found.items()}


def pixels(browser, canvas: str) -> np.ndarray:
    """What a canvas holds, `(h, w)` bytes of its first channel."""
    address = browser.execute_script(f"return document.querySelector('{canvas}').toDataURL()")
    content = base64.b64decode(address.split(",")[1])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))[..., 0]


def probabilities(browser) -> np.ndarray:
    """As the table has them, `(networks, classes)`."""
    rows = browser.execute_script(
        "return [...document.querySelectorAll('#answers tbody tr')].map(row =>"
        "[...row.querySelectorAll('td')].map(cell => Number(cell.dataset.probability)))"
    )
    return np.array(rows).T


def slide(browser, name: str, index: int) -> None:
    browser.execute_script(
        f"const s = document.querySelector('#slider-{name}'); s.value = {index};"
        "s.dispatchEvent(new Event('input'))"
    )


def grid_of(found: Explorer, at: dict):
    wanted = (at["image"], at["plane"], at["method"])
    return next(g for g in found.grids if (g.image, g.plane, g.method) == wanted)


def check_against_the_run(browser, found: Explorer) -> None:
    """Picture, difference, probabilities of both networks and share explained, at this place."""
    at = state(browser)
    grid = grid_of(found, at)
    row, column = at["row"], at["column"]
    now = 255 * grid.pictures[row, column, ..., 0]
    middle = 255 * grid.pictures[grid.pictures.shape[0] // 2, grid.pictures.shape[1] // 2, ..., 0]
    np.testing.assert_allclose(pixels(browser, "#now"), now, atol=2.6)
    np.testing.assert_allclose(pixels(browser, "#original"), middle, atol=2.6)
    difference = 127.5 + (now - middle) / 2
    np.testing.assert_allclose(pixels(browser, "#difference"), difference, atol=3.2)
    expected = np.stack([grid.frozen[row, column], grid.independent[row, column]])
    np.testing.assert_allclose(probabilities(browser), expected, atol=0.5 / 255 + 1e-4)
    text = browser.execute_script("return document.querySelector('#explained-value').textContent")
    share = grid.explained[row, column]
    if np.isfinite(share):
        assert abs(int(text.removesuffix(" %")) - np.clip(100 * share, -150, 100)) <= 0.51
    else:
        assert text == "–"


def test_it_begins_beside_the_original(opened, shown):
    """At +2.25 σ to the right: of nine columns from −3 to 3, the eighth."""
    at = state(opened)
    assert (at["image"], at["plane"], at["method"]) == (0, 0, "transformation")
    assert (at["row"], at["column"]) == (4, 7)
    assert opened.find_element("id", "right-value").text == "+2.25 σ"
    check_against_the_run(opened, shown[0])
    opened.find_element("id", "home").click()
    check_against_the_run(opened, shown[0])
    assert not np.any(pixels(opened, "#difference").astype(int) - 128)
    words = opened.find_element("id", "explained-words").text
    assert words == "This is the original: nothing to explain."


def test_a_dark_line_is_what_the_original_is_taken_for(opened, shown):
    grid = grid_of(shown[0], state(opened))
    expected = np.stack([grid.frozen[4, 4], grid.independent[4, 4]])
    lines = opened.execute_script(
        "return [...document.querySelectorAll('#answers tbody tr')].map(row =>"
        "[...row.querySelectorAll('.was')].map(line => parseFloat(line.style.left) / 100))"
    )
    np.testing.assert_allclose(np.array(lines).T, expected, atol=0.5 / 255 + 1e-4)


def test_sliders_move_picture_and_probabilities_to_the_runs_own(opened, shown):
    before = pixels(opened, "#now"), probabilities(opened)
    for name, index in (("right", 0), ("down", 1), ("right", 7)):
        slide(opened, name, index)
        check_against_the_run(opened, shown[0])
    assert (state(opened)["row"], state(opened)["column"]) == (1, 7)
    assert np.abs(pixels(opened, "#now").astype(int) - before[0]).max() > 3
    assert np.abs(probabilities(opened) - before[1]).max() > 0


def test_another_image_another_plane_and_directions_exchanged(opened, shown):
    found = shown[0]
    opened.execute_script("document.querySelectorAll('#picker input')[5].click()")
    wait(opened, "document.querySelector('#explorer').dataset.image === '5'")
    slide(opened, "right", 8)
    check_against_the_run(opened, found)
    opened.execute_script(
        "const k = document.querySelector('#kind'); k.value = 'plain';"
        "k.dispatchEvent(new Event('change'))"
    )
    wait(opened, "document.querySelector('#explorer').dataset.plane === '1'")
    check_against_the_run(opened, found)
    assert found.planes[1].right.name == opened.find_element("id", "right-name").text
    opened.execute_script(
        "const d = document.querySelector('#down'); d.value = '1';"
        "d.dispatchEvent(new Event('change'))"
    )
    wait(opened, "document.querySelector('#right-name').textContent === 'z[0]'")
    slide(opened, "right", 6)
    slide(opened, "down", 2)
    assert (state(opened)["row"], state(opened)["column"]) == (6, 2)  # of the run's own grid
    check_against_the_run(opened, found)


def test_inversion_is_shown_where_there_is_some(opened, shown):
    opened.execute_script("document.querySelectorAll('#picker input')[3].click()")
    wait(opened, "document.querySelector('#explorer').dataset.image === '3'")
    opened.execute_script("document.querySelector('[name=method][value=inversion]').click()")
    wait(opened, "document.querySelector('#explorer').dataset.method === 'inversion'")
    assert shown[0].numbers[state(opened)["image"]] in shown[0].inverted
    assert "inverted" in opened.find_element("id", "hint").text
    slide(opened, "right", 0)
    check_against_the_run(opened, shown[0])
    opened.execute_script("document.querySelector('[name=method][value=transformation]').click()")
    wait(opened, "document.querySelector('#explorer').dataset.method === 'transformation'")
    check_against_the_run(opened, shown[0])


def test_arrow_keys_move_on_the_pad(opened, shown):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    pad = opened.find_element("id", "pad")
    pad.send_keys(keys.HOME, keys.ARROW_RIGHT, keys.ARROW_RIGHT, keys.ARROW_UP)
    assert (state(opened)["row"], state(opened)["column"]) == (3, 6)
    check_against_the_run(opened, shown[0])
    for _ in range(9):
        pad.send_keys(keys.ARROW_LEFT)
    assert state(opened)["column"] == 0
    pad.send_keys(keys.HOME)
    assert (state(opened)["row"], state(opened)["column"]) == (4, 4)
    opened.find_element("id", "slider-right").send_keys(keys.ARROW_RIGHT)
    assert state(opened)["column"] == 5


def test_a_drag_over_the_pad(opened, shown):
    chains = pytest.importorskip("selenium.webdriver.common.action_chains").ActionChains
    pad = opened.find_element("id", "pad")
    side = pad.size["width"]
    chains(opened).move_to_element(pad).click_and_hold().move_by_offset(
        round(side * 0.4), round(-side * 0.2)
    ).release().perform()
    assert (state(opened)["row"], state(opened)["column"]) == (2, 8)
    check_against_the_run(opened, shown[0])


def test_a_finger_on_a_telephone(opened, shown):
    telephone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", telephone)
    width = opened.execute_script("return document.documentElement.scrollWidth")
    assert width <= 390
    opened.execute_script("document.querySelector('#pad').scrollIntoView({block: 'center'})")
    edge = opened.execute_script(
        "const e = document.querySelector('#pad').getBoundingClientRect();"
        "return [e.left, e.top, e.width, e.height]"
    )
    for kind, share in (("touchStart", 0.5), ("touchMove", 0.7), ("touchMove", 0.95)):
        point = {"x": edge[0] + share * edge[2], "y": edge[1] + 0.05 * edge[3]}
        command = {"type": kind, "touchPoints": [point]}
        opened.execute_cdp_cmd("Input.dispatchTouchEvent", command)
    opened.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert (state(opened)["row"], state(opened)["column"]) == (0, 8)
    check_against_the_run(opened, shown[0])


def test_play_walks_and_pause_stops(opened, shown):
    button = opened.find_element("id", "play")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    places = set()
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        at = state(opened)
        places.add((at["row"], at["column"]))
        time.sleep(0.05)
    button.click()
    assert len(places) > 3
    stopped = state(opened)
    time.sleep(0.3)
    assert state(opened) == stopped
    check_against_the_run(opened, shown[0])


def test_a_new_picture_comes_within_50_milliseconds(opened):
    times = opened.execute_script(
        "const s = document.querySelector('#slider-right'), times = [];"
        "for (let i = 0; i < 9; i++) { const t = performance.now(); s.value = i;"
        "s.dispatchEvent(new Event('input')); times.push(performance.now() - t); }"
        "return times"
    )
    assert np.median(times) < 50


def test_the_first_paint_comes_within_a_second(opened):
    entry = "performance.getEntriesByName('first-contentful-paint')[0]"
    wait(opened, entry)
    assert opened.execute_script(f"return {entry}.startTime") < 1000


def test_no_error_and_no_request(opened, shown):
    slide(opened, "right", 2)
    assert opened.get_log("browser") == []
    asked = []
    for line in opened.get_log("performance"):
        message = json.loads(line["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    assert {url for url in asked if not url.startswith("data:")} == {shown[1].as_uri()}


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(opened, width):
    axe = pytest.importorskip("axe_core_python")
    script = (Path(axe.__path__[0]) / "axe.min.js").read_text()
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    opened.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    opened.execute_script(script)
    found = opened.execute_async_script(
        "const done = arguments[arguments.length - 1]; axe.run().then(done)"
    )
    bad = [(one["impact"], one["id"]) for one in found["violations"]]
    assert not [one for one in bad if one[0] in ("serious", "critical")]
    assert len(found["passes"]) > 20
