// The command map: houses as tiles drawn here, classes by day, filters, search, print. All texts of
// the data are set as text, never as markup. DATA is what mapdata.py says of the map.
(function (map, DATA) {
  "use strict";
  const H = DATA.houses, N = DATA.nodes, W = DATA.words, total = H.ids.length;
  const el = (tag, text, name) => {
    const one = document.createElement(tag);
    if (text !== undefined) one.textContent = text;
    if (name) one.className = name;
    return one;
  };
  const shown = (column, k) => Array.isArray(column) ? column[k] : column.d[column.k[k]];

  // --- shapes: from differences of millionths of a degree to the unit square of Mercator
  const xy = new Float64Array(H.xy.length), box = new Float64Array(4 * total).fill(NaN);
  const starts = new Uint32Array(total + 1), ringAt = new Uint32Array(H.rings.length + 1);
  (function () {
    let p = 0, r = 0;
    for (let k = 0; k < total; k++) {
      starts[k] = r;
      let w = Infinity, n = Infinity, e = -Infinity, s = -Infinity;
      for (let j = 0; j < H.parts[k]; j++, r++) {
        ringAt[r] = p;
        let lon = 0, lat = 0;
        for (let q = 0; q < H.rings[r]; q++, p += 2) {
          lon += H.xy[p]; lat += H.xy[p + 1];
          const f = lat * 1e-6 * Math.PI / 180;
          const x = (lon * 1e-6 + 180) / 360;
          const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + f / 2)) / (2 * Math.PI);
          xy[p] = x; xy[p + 1] = y;
          if (x < w) w = x; if (x > e) e = x; if (y < n) n = y; if (y > s) s = y;
        }
      }
      box.set([w, n, e, s], 4 * k);
    }
    starts[total] = r; ringAt[r] = p;
  })();
  delete H.xy;
  const CELL = 1 / 65536, cells = new Map();
  for (let k = 0; k < total; k++) {
    if (!(box[4 * k] <= box[4 * k + 2])) continue;
    for (let i = Math.floor(box[4 * k] / CELL); i <= Math.floor(box[4 * k + 2] / CELL); i++)
      for (let j = Math.floor(box[4 * k + 1] / CELL); j <= Math.floor(box[4 * k + 3] / CELL); j++) {
        const key = i * 65536 + j;
        if (cells.has(key)) cells.get(key).push(k); else cells.set(key, [k]);
      }
  }
  function within(w, n, e, s) {  // houses whose boxes meet a box
    const side = (e - w) / CELL, found = new Set();
    const meets = k => box[4 * k] <= e && box[4 * k + 2] >= w && box[4 * k + 1] <= s && box[4 * k + 3] >= n;
    if (side * side > cells.size) {
      for (let k = 0; k < total; k++) if (meets(k)) found.add(k);
    } else {
      for (let i = Math.floor(w / CELL); i <= Math.floor(e / CELL); i++)
        for (let j = Math.floor(n / CELL); j <= Math.floor(s / CELL); j++)
          for (const k of cells.get(i * 65536 + j) || []) if (meets(k)) found.add(k);
    }
    return [...found].sort((a, b) => a - b);
  }
  const world = latlng => {
    const f = latlng.lat * Math.PI / 180;
    return [(latlng.lng + 180) / 360, 0.5 - Math.log(Math.tan(Math.PI / 4 + f / 2)) / (2 * Math.PI)];
  };
  const latlng = (x, y) => L.latLng(
    (2 * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - Math.PI / 2) * 180 / Math.PI, x * 360 - 180);
  const middle = k => latlng((box[4 * k] + box[4 * k + 2]) / 2, (box[4 * k + 1] + box[4 * k + 3]) / 2);
  const bounds = list => {
    const b = L.latLngBounds([]);
    for (const k of list) if (box[4 * k] <= box[4 * k + 2])
      b.extend(latlng(box[4 * k], box[4 * k + 1])).extend(latlng(box[4 * k + 2], box[4 * k + 3]));
    return b;
  };
  function houseAt(x, y) {
    for (const k of within(x, y, x, y)) {
      if (!visible[k]) continue;
      let inside = false;
      for (let r = starts[k]; r < starts[k + 1]; r++)
        for (let p = ringAt[r], q = ringAt[r + 1] - 2; p < ringAt[r + 1]; q = p, p += 2)
          if ((xy[p + 1] > y) !== (xy[q + 1] > y) &&
              x < (xy[q] - xy[p]) * (y - xy[p + 1]) / (xy[q + 1] - xy[p + 1]) + xy[p]) inside = !inside;
      if (inside) return k;
    }
    return -1;
  }

  // --- classes by day: the last stage that a house had reached
  const S = DATA.stages, klass = new Int16Array(total), stage = new Int16Array(total);
  const visible = new Uint8Array(total).fill(1), nodeStage = N.map(() => -1);
  let day = DATA.last, focus = -1;
  function classify() {
    for (const one of N) one.least = S.length;
    for (let k = 0; k < total; k++) {
      let top = -1;
      const steps = H.reached[k] || [];
      for (let j = 0; j < steps.length; j += 2) if (steps[j + 1] <= day && steps[j] > top) top = steps[j];
      stage[k] = top;
      klass[k] = H.fixed[k] >= 0 ? H.fixed[k] : top < 0 ? DATA.todo : S[top].klass;
      const n = H.node[k];
      if (n >= 0 && H.fixed[k] < 0 && top < N[n].least) N[n].least = top;
    }
    N.forEach((one, n) => { nodeStage[n] = one.least === S.length ? -1 : one.least; });
  }
  const nodeClass = n => nodeStage[n] < 0 ? DATA.todo : S[nodeStage[n]].klass;
  const letterOf = k => H.fixed[k] >= 0 || !S.length ? DATA.classes[klass[k]].letter
    : stage[k] < 0 ? W.todo_letter : S[stage[k]].letter;

  // --- hatches, so that classes are told apart in grey and by the colour-blind
  const patterns = DATA.classes.map(one => {
    const c = document.createElement("canvas");
    c.width = c.height = 8;
    const g = c.getContext("2d");
    g.strokeStyle = one.mark; g.lineWidth = 1.3;
    const line = (a, b, x, y) => { g.beginPath(); g.moveTo(a, b); g.lineTo(x, y); g.stroke(); };
    if (one.hatch.includes("/")) { line(-2, 10, 10, -2); line(-2, 2, 2, -2); line(6, 10, 10, 6); }
    if (one.hatch.includes("\\")) { line(-2, -2, 10, 10); line(6, -2, 10, 2); line(-2, 6, 2, 10); }
    if (one.hatch.includes("-")) line(0, 4, 8, 4);
    if (one.hatch.includes("|")) line(4, 0, 4, 8);
    if (one.hatch.includes(".")) { g.fillStyle = one.mark; g.fillRect(3, 3, 2, 2); }
    return one.hatch ? g.createPattern(c, "repeat") : null;
  });
  function swatch(one, k) {
    const c = document.createElement("canvas");
    c.width = 34; c.height = 18;
    const g = c.getContext("2d");
    g.fillStyle = one.fill; g.fillRect(0, 0, 34, 18);
    if (patterns[k]) { g.fillStyle = patterns[k]; g.fillRect(0, 0, 34, 18); }
    if (one.letter) {
      g.font = "bold 13px sans-serif"; g.textAlign = "center"; g.textBaseline = "middle";
      g.lineWidth = 3; g.strokeStyle = "#fff"; g.strokeText(one.letter, 17, 9);
      g.fillStyle = "#111"; g.fillText(one.letter, 17, 9);
    }
    return c;
  }

  // --- tiles
  const Houses = L.GridLayer.extend({
    createTile: function (at) {
      const size = this.getTileSize(), tile = document.createElement("canvas");
      const dots = Math.min(window.devicePixelRatio || 1, 2), n = 2 ** at.z;
      tile.width = size.x * dots; tile.height = size.y * dots;
      const g = tile.getContext("2d"), side = size.x, zoom = at.z;
      g.scale(dots, dots);
      const pad = 14 / side / n;
      const list = within(at.x / n - pad, at.y / n - pad, (at.x + 1) / n + pad, (at.y + 1) / n + pad);
      for (const k of list) {
        if (!visible[k]) continue;
        const one = DATA.classes[klass[k]];
        g.globalAlpha = focus < 0 || H.node[k] === focus ? 1 : 0.3;
        g.beginPath();
        for (let r = starts[k]; r < starts[k + 1]; r++)
          for (let p = ringAt[r]; p < ringAt[r + 1]; p += 2) {
            const x = (xy[p] * n - at.x) * side, y = (xy[p + 1] * n - at.y) * side;
            if (p === ringAt[r]) g.moveTo(x, y); else g.lineTo(x, y);
          }
        g.closePath();
        g.fillStyle = one.fill; g.fill("evenodd");
        if (patterns[klass[k]] && zoom > 15) { g.fillStyle = patterns[klass[k]]; g.fill("evenodd"); }
        g.strokeStyle = k === chosen ? "#ff00c8" : "#222";
        g.lineWidth = k === chosen ? 4 : zoom > 15 ? 1 : 0.5; g.stroke();
        if (zoom > 17) {
          const x = ((box[4 * k] + box[4 * k + 2]) / 2 * n - at.x) * side;
          const y = ((box[4 * k + 1] + box[4 * k + 3]) / 2 * n - at.y) * side;
          g.font = "bold 13px sans-serif"; g.textAlign = "center"; g.textBaseline = "middle";
          g.lineWidth = 3; g.strokeStyle = "#fff"; g.strokeText(letterOf(k), x, y);
          g.fillStyle = "#111"; g.fillText(letterOf(k), x, y);
        }
      }
      return tile;
    }
  });
  let chosen = -1;
  map.createPane("pg-houses").style.zIndex = 450;
  map.getPane("pg-houses").style.pointerEvents = "none";
  const tiles = new Houses({pane: "pg-houses", maxZoom: 21, minZoom: 5, updateWhenZooming: false});
  const circles = L.layerGroup();
  function count() {
    circles.clearLayers();
    const zoom = Math.floor(map.getZoom());
    if (zoom >= DATA.seen_zoom) return;
    const side = 44 / 256 / 2 ** zoom, groups = new Map();
    for (let k = 0; k < total; k++) {
      if (!visible[k] || !(box[4 * k] <= box[4 * k + 2])) continue;
      const x = (box[4 * k] + box[4 * k + 2]) / 2, y = (box[4 * k + 1] + box[4 * k + 3]) / 2;
      const key = Math.floor(x / side) + "/" + Math.floor(y / side);
      const one = groups.get(key) || [0, 0, 0];
      one[0]++; one[1] += x; one[2] += y; groups.set(key, one);
    }
    for (const [n, x, y] of groups.values()) {
      const size = 18 + 8 * Math.log10(n), span = el("span", n), at = latlng(x / n, y / n);
      span.style.width = span.style.height = span.style.lineHeight = size + "px";
      L.marker(at, {icon: L.divIcon({className: "pg-count", html: span, iconSize: [size, size]})})
        .on("click", () => map.setView(at, Math.min(map.getZoom() + 2, 19))).addTo(circles);
    }
  }

  // --- the panel
  const panel = document.querySelector(".pg-panel"), find = q => panel.querySelector(q);
  const sheet = find(".pg-sheet"), body = find(".pg-body");
  find(".pg-handle").addEventListener("click", () => sheet.classList.toggle("open"));
  L.DomEvent.disableClickPropagation(panel);

  const filters = {};
  const options = {
    river: [...new Set([...H.river, ...N.map(n => n.river)])].filter(x => x),
    bank: [...new Set(H.bank)].filter(x => x),
    group: [...new Set(N.map(n => n.group))].filter(x => x),
    stage: S.length ? ["", ...S.map(s => s.word)].map(w => w || W.todo) : [],
    klass: DATA.classes.map(c => c.word), collective: DATA.collective ? [W.yes, W.no] : []
  };
  const box_ = find(".pg-filters");
  for (const [name, words] of Object.entries(options)) {
    if (words.length < 2) continue;
    const one = el("select");
    one.dataset.filter = name; one.setAttribute("aria-label", W[name]);
    one.append(new Option(W.all.replace("{}", W[name]), ""));
    words.forEach((word, k) => one.append(new Option(word, String(k))));
    one.addEventListener("change", () => { filters[name] = one.value === "" ? null : words[+one.value]; draw(); });
    box_.append(one);
  }
  const wants = (name, value) => filters[name] == null || filters[name] === value;
  const stageWord = s => s < 0 ? W.todo : S[s].word;
  function choose() {
    for (let k = 0; k < total; k++) {
      const n = H.node[k];
      visible[k] = wants("river", H.river[k]) && wants("bank", H.bank[k]) &&
        wants("group", n < 0 ? "" : N[n].group) && wants("klass", DATA.classes[klass[k]].word) &&
        (filters.stage == null || (H.fixed[k] < 0 && filters.stage === stageWord(stage[k]))) &&
        wants("collective", H.collective[k] ? W.yes : W.no) ? 1 : 0;
    }
  }
  const chosenNodes = () => N.map((one, n) => n).filter(n => {
    const one = N[n];
    return wants("river", one.river) && wants("bank", one.bank) && wants("group", one.group) &&
      wants("stage", stageWord(nodeStage[n])) && wants("klass", DATA.classes[nodeClass(n)].word) &&
      wants("collective", one.collective ? W.yes : W.no);
  });

  function legend() {
    const counts = DATA.classes.map(() => 0);
    for (let k = 0; k < total; k++) if (visible[k]) counts[klass[k]]++;
    find(".pg-legend").replaceChildren(...DATA.classes.map((one, k) => {
      const row = el("div");
      row.dataset.klass = one.code;
      row.append(swatch(one, k), el("span", one.word), el("b", counts[k] + " " + W.houses));
      return row;
    }).filter((row, k) => counts[k] || DATA.classes[k].count));
  }
  function nodeTable() {
    const place = find(".pg-nodes");
    if (!N.length) { place.replaceChildren(); return; }
    const table = el("table"), head = el("thead"), row = el("tr"), rows = el("tbody");
    for (const word of W.node_heads) row.append(el("th", word));
    head.append(row); table.append(head, rows);
    const list = chosenNodes();
    for (const n of list) {
      const one = N[n], tr = el("tr", undefined, one.signal + (n === focus ? " on" : ""));
      tr.dataset.node = one.id; tr.tabIndex = 0;
      const first = el("td");
      first.append(el("div", one.id), el("div", one.where));
      const second = el("td");
      second.append(el("div", stageWord(nodeStage[n])), el("div", one.group));
      const third = el("td");
      third.append(el("div", one.late, "pg-late"), el("div", one.due));
      tr.append(first, second, third, el("td", one.amount));
      tr.addEventListener("click", () => openNode(n));
      tr.addEventListener("keydown", e => { if (e.key === "Enter") openNode(n); });
      rows.append(tr);
    }
    find(".pg-nodes-head").textContent = W.nodes.replace("{}", list.length);
    place.replaceChildren(table);
  }
  const housesOf = n => { const f = []; for (let k = 0; k < total; k++) if (H.node[k] === n) f.push(k); return f; };
  function openNode(n) {
    focus = n; chosen = -1;
    const list = housesOf(n), place = find(".pg-houses");
    const b = list.length ? bounds(list) : null;
    if (b && b.isValid()) map.fitBounds(b.pad(0.4), {maxZoom: 19});
    const back = el("button", W.back, "pg-back"), print = el("button", W.print_node, "pg-back");
    back.addEventListener("click", () => { focus = -1; place.replaceChildren(); draw(); });
    print.addEventListener("click", () => window.print());
    place.replaceChildren(el("h2", N[n].id + " " + W.houses_of.replace("{}", list.length)), back, print);
    for (const k of list) {
      const one = el("button", H.ids[k] + " " + H.owner[k] + " " +
        (H.fixed[k] < 0 && S.length ? stageWord(stage[k]) : DATA.classes[klass[k]].word));
      one.dataset.house = H.ids[k];
      one.addEventListener("click", () => openHouse(k));
      place.append(one);
    }
    sheet.classList.remove("open");
    draw();
    place.scrollIntoView({block: "nearest"});
  }
  function openHouse(k, at) {
    chosen = k;
    const table = el("table"), rows = [[W.id, H.ids[k]], [W.klass, DATA.classes[klass[k]].word]];
    if (H.fixed[k] < 0 && S.length) rows.push([W.stage, stageWord(stage[k])]);
    H.card.forEach(one => rows.push([one.label, shown(one.values, k)]));
    for (const [word, text] of rows) {
      const row = el("tr"), cell = el("td"), isolated = el("bdi", text);
      cell.append(isolated); row.append(el("th", word), cell); table.append(row);
    }
    const card = el("div", undefined, "pg-popup");
    card.append(table);
    if (!at && map.getZoom() < 18) map.setView(middle(k), 18, {animate: false});
    map.closePopup();
    L.popup({maxWidth: Math.min(420, window.innerWidth - 60)}).setLatLng(at || middle(k)).setContent(card).openOn(map);
    sheet.classList.remove("open");
    tiles.redraw();
  }
  map.on("click", e => {
    const [x, y] = world(e.latlng), k = houseAt(x, y);
    if (k >= 0) { openHouse(k, e.latlng); return; }
    for (let n = 0; n < N.length; n++) {
      const hull = N[n].hull, inside = hull && hull.some(ring => {
        let odd = false;
        for (let i = 0, j = ring.length - 1; i < ring.length; j = i++)
          if ((ring[i][1] > e.latlng.lat) !== (ring[j][1] > e.latlng.lat) && e.latlng.lng <
              (ring[j][0] - ring[i][0]) * (e.latlng.lat - ring[i][1]) / (ring[j][1] - ring[i][1]) + ring[i][0]) odd = !odd;
        return odd;
      });
      if (inside) { openNode(n); return; }
    }
  });

  // --- the day
  const slider = find(".pg-time input"), said = find(".pg-time span");
  const dated = d => new Date((DATA.day0 + d) * 864e5).toISOString().slice(0, 10);
  if (slider) {
    slider.max = DATA.last; slider.value = DATA.last;
    const go = () => { day = +slider.value; draw(); };
    slider.addEventListener("input", go);
    let timer = null;
    find(".pg-time button").addEventListener("click", () => {
      if (timer) { clearInterval(timer); timer = null; return; }
      if (+slider.value >= DATA.last) slider.value = 0;
      timer = setInterval(() => {
        slider.value = Math.min(DATA.last, +slider.value + Math.max(1, Math.round(DATA.last / 60)));
        go();
        if (+slider.value >= DATA.last) { clearInterval(timer); timer = null; }
      }, 150);
    });
  }

  // --- search: nodes, ids, owners, chainages
  const field = find(".pg-search input"), list = find(".pg-found");
  function stationsAt(text) {
    const m = /^\s*K(-?\d+)(?:\+(\d+(?:\.\d+)?))?\s*$/i.exec(text), found = [];
    if (!m) return found;
    const want = +m[1] * 1000 + +(m[2] || 0);
    for (const one of DATA.stations)
      for (let i = 0; i + 1 < one.at.length; i++) {
        const [c, x, y] = one.at[i], [d, u, v] = one.at[i + 1];
        if (Math.abs(d - c) > one.most || (want - c) * (want - d) > 0 || (want === d && i + 2 < one.at.length)) continue;
        const t = d === c ? 0 : (want - c) / (d - c);
        found.push([one.river + " " + text.trim().toUpperCase(), [y + t * (v - y), x + t * (u - x)]]);
      }
    return found;
  }
  function results(text) {
    const want = text.trim().toLowerCase(), found = [];
    if (!want) return found;
    for (const [word, at] of stationsAt(text)) found.push([word, () => {
      map.setView(at, 18, {animate: false});
      L.popup().setLatLng(at).setContent(el("b", word)).openOn(map);
    }]);
    N.forEach((one, n) => { if (one.id.toLowerCase().includes(want)) found.push([one.id, () => openNode(n)]); });
    for (let k = 0; k < total && found.length < 30; k++) {
      if (H.ids[k].toLowerCase().includes(want) || H.owner[k].toLowerCase().includes(want))
        found.push([(H.ids[k] + " " + H.owner[k]).trim(), () => openHouse(k)]);
    }
    return found.slice(0, 30);
  }
  function search() {
    const found = results(field.value);
    list.hidden = !field.value.trim();
    list.replaceChildren(...(found.length ? found.map(([word, go]) => {
      const one = el("button", word);
      one.addEventListener("click", () => { list.hidden = true; go(); });
      return one;
    }) : [el("div", W.nothing)]));
  }
  field.addEventListener("input", search);
  field.addEventListener("keydown", e => {
    if (e.key === "Escape") list.hidden = true;
    const first = list.querySelector("button");
    if (e.key === "Enter" && first) first.click();
  });

  // --- furniture of the map
  const north = L.control({position: "bottomright"});
  north.onAdd = () => {
    const one = el("div", undefined, "pg-north");
    one.append(el("div", "▲"), el("div", W.north));
    return one;
  };
  north.addTo(map);
  L.control.scale({position: "bottomright", imperial: false}).addTo(map);
  function labels() {
    const z = map.getZoom(), c = map.getContainer();
    DATA.zooms.forEach(least => L.DomUtil[z < least ? "addClass" : "removeClass"](c, "pg-below" + least));
  }
  map.on("zoomend", () => { labels(); count(); });
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = {bounds: map.getBounds()};
    map.getContainer().classList.add("pg-print");
    map.invalidateSize({animate: false});
    // what was seen fills the sheet; of a node, the node
    const seen = focus < 0 ? before.bounds : bounds(housesOf(focus)).pad(0.4);
    map.options.zoomSnap = 0;
    map.fitBounds(seen.isValid() ? seen : before.bounds, {animate: false, maxZoom: 19});
    map.eachLayer(one => { if (one._renderer && one.redraw) one.redraw(); });
    tiles.redraw();
  });
  window.addEventListener("afterprint", () => {
    map.getContainer().classList.remove("pg-print");
    map.options.zoomSnap = 1;
    map.invalidateSize({animate: false});
    if (before) map.fitBounds(before.bounds, {animate: false});
  });
  if (window.innerWidth < 761) {
    const layers = document.querySelector(".leaflet-control-layers");
    if (layers) layers.classList.remove("leaflet-control-layers-expanded");
  }

  function draw() {
    classify(); choose(); legend(); nodeTable(); count();
    if (said) said.textContent = dated(day);
    tiles.redraw();
  }
  tiles.addTo(map); circles.addTo(map);
  labels(); draw();
  map.invalidateSize({animate: false});
  window.pgMap = {map: map, openHouse: id => openHouse(H.ids.indexOf(id)), openNode: id => openNode(N.findIndex(n => n.id === id)),
    classes: () => Object.fromEntries(DATA.classes.map((c, k) => [c.code, H.ids.filter((id, i) => klass[i] === k)])),
    stages: () => Object.fromEntries(H.ids.map((id, k) => [id, stage[k] < 0 ? "todo" : S[stage[k]].code])),
    shown: () => H.ids.filter((id, k) => visible[k]), point: id => map.latLngToContainerPoint(middle(H.ids.indexOf(id))),
    nodes: () => chosenNodes().map(n => N[n].id)};
})
