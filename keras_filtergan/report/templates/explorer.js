"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("explorer-data").textContent);
  const UNDEFINED = 255, STEP = 110; // of the share explained; milliseconds a picture
  const BEGIN = 2.25; // standard deviations to the right: the original has nothing to show
  const LABELS = { principal: "principal", plain: "z[i]" };
  const state = { image: 0, plane: 0, method: "transformation", row: 0, column: 0, swapped: false };
  const decoded = new Map(); // sheets that were asked for
  let view = null, timer = null, path = [], telling = null, asked = 0;

  // ---- what there is

  const key = (image, plane, method) => `${image}/${plane}/${method}`;
  const has = (image, plane, method) => key(image, plane, method) in data.grids;
  const kinds = [...new Set(data.planes.map((plane) => plane.right.kind))];
  const axesOf = (kind) => {
    const found = new Map();
    for (const { down, right } of data.planes)
      for (const axis of [down, right])
        if (axis && axis.kind === kind) found.set(axis.number, axis.name);
    return [...found].sort((a, b) => a[0] - b[0]);
  };
  const planeOf = (kind, first, second) => data.planes.findIndex(({ down, right }) =>
    right.kind === kind && down && ((down.number === first && right.number === second) ||
      (down.number === second && right.number === first)));

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  const load = (source) => new Promise((resolve, reject) => {
    const picture = new Image();
    picture.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = picture.naturalWidth;
      canvas.height = picture.naturalHeight;
      canvas.getContext("2d", { willReadFrequently: true }).drawImage(picture, 0, 0);
      resolve(canvas);
    };
    picture.onerror = reject;
    picture.src = source;
  });

  async function opened(name) {
    if (!decoded.has(name)) {
      const grid = data.grids[name];
      const sheet = await load(grid.sheet);
      const numbers = bytes(grid.numbers);
      decoded.set(name, { ...grid, sheet, numbers, h: sheet.height / grid.rows,
        w: sheet.width / grid.columns, width: numbers.length / (grid.rows * grid.columns) });
    }
    return decoded.get(name);
  }

  // ---- a cell of the grid; where directions are exchanged, rows are columns

  const rows = () => (state.swapped ? view.columns : view.rows);
  const columns = () => (state.swapped ? view.rows : view.columns);
  const place = (row, column) => (state.swapped ? [column, row] : [row, column]);
  const numbersAt = (row, column) => {
    const [r, c] = place(row, column), at = (r * view.columns + c) * view.width;
    return view.numbers.subarray(at, at + view.width);
  };
  const pixelsAt = (row, column) => {
    const [r, c] = place(row, column);
    return view.sheet.getContext("2d").getImageData(c * view.w, r * view.h, view.w, view.h);
  };
  const offset = (index, count) =>
    count > 1 ? data.span * (index - (count - 1) / 2) / ((count - 1) / 2) : 0;
  const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)} σ`;
  const answer = (said) => said.reduce((best, value, i) => (value > said[best] ? i : best), 0);
  const image = () => data.images[state.image];
  const classes = () => image().classes.map((number) => data.classes[number]);

  // ---- drawing

  function put(canvas, pixels) {
    if (canvas.width !== pixels.width || canvas.height !== pixels.height) {
      canvas.width = pixels.width;
      canvas.height = pixels.height;
    }
    canvas.getContext("2d").putImageData(pixels, 0, 0);
  }

  function difference(now, original) {
    const out = new ImageData(now.width, now.height);
    for (let i = 0; i < out.data.length; i += 4) {
      let change = 0;
      for (let k = 0; k < 3; k++) change += (now.data[i + k] - original.data[i + k]) / 3;
      out.data[i] = out.data[i + 1] = out.data[i + 2] = 127.5 + change / 2;
      out.data[i + 3] = 255;
    }
    return out;
  }

  function drawPad() {
    const sheet = $("sheet"), context = sheet.getContext("2d");
    sheet.width = columns() * view.w;
    sheet.height = rows() * view.h;
    const marks = $("marks");
    marks.replaceChildren();
    const middle = [(rows() - 1) / 2, (columns() - 1) / 2];
    const start = answer(frozenAt(...middle));
    let changed = 0;
    for (let row = 0; row < rows(); row++) {
      for (let column = 0; column < columns(); column++) {
        const [r, c] = place(row, column);
        context.drawImage(view.sheet, c * view.w, r * view.h, view.w, view.h,
          column * view.w, row * view.h, view.w, view.h);
        const isMiddle = row === middle[0] && column === middle[1];
        const differs = answer(frozenAt(row, column)) !== start;
        changed += differs;
        if (isMiddle || differs) {
          const mark = document.createElement("i");
          if (isMiddle) mark.className = "middle";
          box(mark, row, column);
          marks.append(mark);
        }
      }
    }
    $("changed-note").textContent = changed
      ? `The frozen network changes its answer in ${changed} of ${rows() * columns()} cells (dotted).`
      : "The frozen network gives the same answer in every cell.";
  }

  function box(element, row, column) {
    element.style.left = `${100 * column / columns()}%`;
    element.style.top = `${100 * row / rows()}%`;
    element.style.width = `${100 / columns()}%`;
    element.style.height = `${100 / rows()}%`;
  }

  const shown = () => image().classes.length;
  const frozenAt = (row, column) => numbersAt(row, column).subarray(1, 1 + shown());
  const independentAt = (row, column) => numbersAt(row, column).subarray(1 + shown());

  function makeAnswers() {
    const body = $("answers").tBodies[0];
    body.replaceChildren();
    classes().forEach((name, i) => {
      const row = body.insertRow(), head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      if (image().classes[i] === image().label) row.className = "true";
      for (let n = 0; n < (data.independent ? 2 : 1); n++) {
        const cell = document.createElement("span");
        cell.className = "cell";
        const bar = document.createElement("span"), percent = document.createElement("span");
        bar.className = "bar";
        percent.className = "percent";
        const was = document.createElement("span");
        was.className = "was";
        cell.append(bar, was, percent);
        row.insertCell().append(cell);
      }
    });
  }

  function fill(column, said, before) {
    const most = answer(said);
    [...$("answers").tBodies[0].rows].forEach((row, i) => {
      const cell = row.cells[1 + column], share = said[i] / 255;
      cell.classList.toggle("says", i === most);
      cell.dataset.probability = share.toFixed(4);
      cell.querySelector(".bar").style.width = `${100 * share}%`;
      cell.querySelector(".was").style.left = `${100 * before[i] / 255}%`;
      cell.querySelector(".percent").textContent = `${Math.round(100 * share)} %`;
    });
    return `${classes()[most]} (${Math.round(said[most] / 2.55)} %)`;
  }

  function draw() {
    const { row, column } = state;
    const now = pixelsAt(row, column);
    const middle = [(rows() - 1) / 2, (columns() - 1) / 2];
    const original = pixelsAt(...middle);
    put($("original"), original);
    put($("now"), now);
    put($("difference"), difference(now, original));
    box($("marker"), row, column);
    const byte = numbersAt(row, column)[0], share = (byte - 150) / 100;
    $("explained-value").textContent = byte === UNDEFINED ? "–" : `${Math.round(100 * share)} %`;
    $("explained-words").textContent = byte === UNDEFINED ? "This is the original: nothing to explain." :
      "of what these kernels change is undone by the picture";
    $("explained-bar").style.width = byte === UNDEFINED ? "0" : `${100 * Math.max(0, share)}%`;
    const frozen = fill(0, frozenAt(row, column), frozenAt(...middle));
    const other = data.independent
      ? fill(1, independentAt(row, column), independentAt(...middle)) : "";
    const down = offset(row, rows()), right = offset(column, columns());
    for (const [name, value, index] of [["down", down, row], ["right", right, column]]) {
      const slider = $(`slider-${name}`);
      slider.value = index;
      slider.setAttribute("aria-valuetext", signed(value).replace("σ", "standard deviations"));
      $(`${name}-value`).textContent = signed(value);
    }
    Object.assign($("explorer").dataset, { image: state.image, plane: state.plane,
      method: state.method, row: place(row, column)[0], column: place(row, column)[1] });
    const words = `At ${view.rows > 1 ? `${signed(down)} and ` : ""}${signed(right)} the frozen ` +
      `network says ${frozen}${other ? `, the independent one ${other}` : ""}. ` +
      (byte === UNDEFINED ? "This is the original." :
        `The picture undoes ${$("explained-value").textContent} of what the kernels change.`);
    clearTimeout(telling);
    telling = setTimeout(() => { if (!timer) $("said").textContent = words; }, 250);
  }

  // ---- moving

  const clamp = (value, count) => Math.min(Math.max(value, 0), count - 1);
  function move(row, column) {
    state.row = clamp(row, rows());
    state.column = clamp(column, columns());
    draw();
  }

  async function show(hint = "") {
    const ticket = ++asked, wanted = key(state.image, state.plane, state.method);
    const before = view && [offset(state.row, rows()), offset(state.column, columns())];
    let next;
    try {
      next = await opened(wanted);
    } catch {
      $("hint").textContent = "This picture cannot be decoded here.";
      return;
    }
    if (ticket !== asked) return; // something else was chosen meanwhile
    view = next;
    const index = (value, count) => Math.round((value / data.span + 1) * (count - 1) / 2);
    state.row = clamp(before ? index(before[0], rows()) : (rows() - 1) / 2, rows());
    state.column = clamp(index(before ? before[1] : BEGIN, columns()), columns());
    for (const [name, count] of [["down", rows()], ["right", columns()]]) {
      const slider = $(`slider-${name}`);
      Object.assign(slider, { min: 0, max: count - 1, step: 1 });
    }
    $("down-slider").hidden = $("directions").hidden = view.rows < 2;
    $("hint").textContent = hint;
    makeAnswers();
    drawPad();
    draw();
    offer();
    path = tour();
  }

  function fillSelect(select, pairs, chosen) {
    select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
    select.value = String(chosen);
  }

  /** The menus of directions, and which methods this image and plane have. */
  function offer() {
    const { down, right } = data.planes[state.plane];
    const [first, second] = state.swapped ? [right, down] : [down, right];
    fillSelect($("kind"), kinds.map((kind) => [kind, LABELS[kind]]), right.kind);
    fillSelect($("right"), axesOf(right.kind), second.number);
    if (first) fillSelect($("down"), axesOf(right.kind), first.number);
    $("down-name").textContent = first ? first.name : "";
    $("right-name").textContent = second.name;
    for (const radio of document.querySelectorAll("[name=method]")) {
      radio.checked = radio.value === state.method;
      radio.disabled = !Object.keys(data.grids).some((name) => name.endsWith(radio.value));
    }
  }

  function choose(kind, first, second) {
    const found = planeOf(kind, first, second);
    if (found < 0) return;
    state.plane = found;
    state.swapped = data.planes[found].down.number !== first;
    show(nearest());
  }

  /** Where the image has no inverted pictures over this plane, go to where there are some. */
  function nearest() {
    const { image: i, plane, method } = state;
    if (has(i, plane, method)) return "";
    if (method === "inversion") {
      const other = data.planes.findIndex((_, p) => has(i, p, method));
      if (other >= 0) {
        state.plane = other;
        state.swapped = false;
        return "Of this image, pictures were found by inversion along these directions.";
      }
    }
    state.method = "transformation";
    return "Of this image none were found by inversion: these are of the learned transformation.";
  }

  function inverted() {
    if (data.planes.some((_, p) => has(state.image, p, "inversion"))) return nearest();
    const places = Object.keys(data.grids).filter((one) => one.endsWith("/inversion"))
      .map((one) => one.split("/").map(Number));
    const alike = ([one]) => data.images[one].label === image().label;
    const [i, p] = places.find(alike) || places[0];
    Object.assign(state, { image: i, plane: p, swapped: false });
    $("picker").querySelectorAll("input")[i].checked = true;
    return "Only some images were inverted: this is one of them.";
  }

  // ---- playing

  /** Along each direction and back, then around, as cells. */
  function tour() {
    const far = [(rows() - 1) / 2, (columns() - 1) / 2], places = [];
    const there = (u, v) => {
      const next = [Math.round(far[0] * (1 + u)), Math.round(far[1] * (1 + v))];
      const last = places[places.length - 1];
      if (!last || last[0] !== next[0] || last[1] !== next[1]) places.push(next);
    };
    const turn = (move) => { for (let t = 0; t <= 200; t++) move(2 * Math.PI * t / 200); };
    turn((angle) => there(0, Math.sin(angle)));
    if (rows() > 1) {
      turn((angle) => there(Math.sin(angle), 0));
      turn((angle) => there(0.7 * Math.sin(angle), 0.7 * (1 - Math.cos(angle)) / 2));
    }
    return places;
  }

  function play() {
    let at = 0;
    timer = setInterval(() => {
      const [row, column] = path[at++ % path.length];
      move(row, column);
    }, STEP);
    $("play").textContent = "❚❚ Pause";
    $("play").setAttribute("aria-pressed", "true");
  }
  function pause() {
    if (!timer) return;
    clearInterval(timer);
    timer = null;
    $("play").textContent = "▶ Play";
    $("play").setAttribute("aria-pressed", "false");
    draw();
  }

  // ---- what a person does

  $("play").addEventListener("click", () => (timer ? pause() : play()));
  $("home").addEventListener("click", () => {
    pause();
    move((rows() - 1) / 2, (columns() - 1) / 2);
  });
  $("slider-down").addEventListener("input", (event) => {
    pause();
    move(Number(event.target.value), state.column);
  });
  $("slider-right").addEventListener("input", (event) => {
    pause();
    move(state.row, Number(event.target.value));
  });
  for (const radio of document.querySelectorAll("[name=method]"))
    radio.addEventListener("change", () => {
      state.method = radio.value;
      show(radio.value === "inversion" ? inverted() : "");
    });
  $("kind").addEventListener("change", () => {
    const [first, second] = axesOf($("kind").value);
    choose($("kind").value, first[0], second[0]);
  });
  for (const [name, other] of [["down", "right"], ["right", "down"]])
    $(name).addEventListener("change", () => {
      const kind = $("kind").value, value = Number($(name).value);
      if (Number($(other).value) === value) // two different ones span a plane
        $(other).value = axesOf(kind).find(([number]) => number !== value)[0];
      choose(kind, Number($("down").value), Number($("right").value));
    });

  const pad = $("pad");
  const point = (event) => {
    const edge = pad.getBoundingClientRect();
    move(Math.floor(rows() * (event.clientY - edge.top) / edge.height),
      Math.floor(columns() * (event.clientX - edge.left) / edge.width));
  };
  pad.addEventListener("pointerdown", (event) => {
    pause();
    pad.setPointerCapture(event.pointerId);
    point(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (pad.hasPointerCapture(event.pointerId)) point(event);
  });
  pad.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === "Home") $("home").click();
    else if (event.key === " ") $("play").click();
    else if (event.key in steps) {
      pause();
      move(state.row + steps[event.key][0], state.column + steps[event.key][1]);
    } else return;
    event.preventDefault();
  });

  data.images.forEach((one, i) => {
    const label = document.createElement("label"), input = document.createElement("input");
    const picture = new Image();
    Object.assign(input, { type: "radio", name: "image", checked: i === 0 });
    picture.src = one.picture;
    picture.alt = `test image ${one.number}, ${data.classes[one.label]}`;
    label.title = picture.alt;
    input.addEventListener("change", () => {
      state.image = i;
      show(nearest());
    });
    label.append(input, picture);
    $("picker").append(label);
  });
  if (!data.independent) $("independent-title").remove();
  show();
})();
