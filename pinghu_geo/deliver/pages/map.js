// The command map: houses as tiles drawn here, classes by day, filters, search, print. All texts of
// the data are set as text, never as markup. DATA is what mapdata.py says of the map.
(function (map) {
  "use strict";
  const DATA = JSON.parse(document.getElementById("pg-data").textContent);
  const H = DATA.houses, N = DATA.nodes, W = DATA.words, total = H.ids.length;
  const el = (tag, text, name) => {
    const one = document.createElement(tag);
    if (text !== undefined) one.textContent = text;
    if (name) one.className = name;
    return one;
  };
  const shown = (column, k) => column.w[column.k ? column.k[k] : k];
  // whole numbers as mapdata.packed writes them: seven bits a byte, the sign in the lowest one
  function unpacked(text) {
    const raw = atob(text), out = new Int32Array(raw.length);
    let n = 0, value = 0, shift = 0;
    for (let i = 0; i < raw.length; i++) {
      const byte = raw.charCodeAt(i);
      value += (byte & 127) * 2 ** shift;
      if (byte & 128) { shift += 7; continue; }
      out[n++] = value % 2 ? -(value + 1) / 2 : value / 2;
      value = shift = 0;
    }
    return out.slice(0, n);
  }

  // --- shapes: from differences of millionths of a degree to the unit square of Mercator
  const FAR = 16;  // below this zoom a house is a few pixels: its box
  const CELL = 1 / 65536, SEEN = new Uint32Array(512 * 512);
  let paths = 0;  // how many paths of far shapes were begun
  function Shapes(packed) {
    const d = unpacked(packed.xy), parts = unpacked(packed.parts), sizes = unpacked(packed.rings);
    const total = parts.length, xy = new Float64Array(d.length), box = new Float64Array(4 * total).fill(NaN);
    const starts = new Uint32Array(total + 1), ringAt = new Uint32Array(sizes.length + 1), cells = new Map();
    let p = 0, r = 0, lon = 0, lat = 0;
    for (let k = 0; k < total; k++) {
      starts[k] = r;
      let w = Infinity, n = Infinity, e = -Infinity, s = -Infinity;
      for (let j = 0; j < parts[k]; j++, r++) {
        ringAt[r] = p;
        for (let q = 0; q < sizes[r]; q++, p += 2) {
          lon += d[p]; lat += d[p + 1];
          const f = lat * 1e-6 * Math.PI / 180;
          const x = (lon * 1e-6 + 180) / 360;
          const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + f / 2)) / (2 * Math.PI);
          xy[p] = x; xy[p + 1] = y;
          if (x < w) w = x; if (x > e) e = x; if (y < n) n = y; if (y > s) s = y;
        }
      }
      if (!(w <= e)) continue;
      box[4 * k] = w; box[4 * k + 1] = n; box[4 * k + 2] = e; box[4 * k + 3] = s;
      for (let i = Math.floor(w / CELL); i <= Math.floor(e / CELL); i++)
        for (let j = Math.floor(n / CELL); j <= Math.floor(s / CELL); j++) {
          const key = i * 65536 + j, there = cells.get(key);
          if (there) there.push(k); else cells.set(key, [k]);
        }
    }
    starts[total] = r; ringAt[r] = p;
    function within(w, n, e, s) {  // shapes whose boxes meet a box, in their order
      const side = (e - w) / CELL, found = [];
      const meets = k => box[4 * k] <= e && box[4 * k + 2] >= w && box[4 * k + 1] <= s && box[4 * k + 3] >= n;
      if (side * side > cells.size) {
        for (let k = 0; k < total; k++) if (meets(k)) found.push(k);
        return found;
      }
      for (let i = Math.floor(w / CELL); i <= Math.floor(e / CELL); i++)
        for (let j = Math.floor(n / CELL); j <= Math.floor(s / CELL); j++)
          for (const k of cells.get(i * 65536 + j) || []) if (meets(k)) found.push(k);
      found.sort((a, b) => a - b);
      return found.filter((k, i) => !i || k !== found[i - 1]);
    }
    // a shape far away: its box, of two pixels at least, and of those on one pixel only the first;
    // where shapes were since the path began stands in SEEN under its number
    function dot(g, k, at, n, side, path) {
      const w = (box[4 * k + 2] - box[4 * k]) * n * side, h = (box[4 * k + 3] - box[4 * k + 1]) * n * side;
      const x = (box[4 * k] * n - at.x) * side, y = (box[4 * k + 1] * n - at.y) * side;
      if (w <= 2 && h <= 2 && x >= 0 && y >= 0 && x < side && y < side) {
        const pixel = Math.floor(y) * side + Math.floor(x);
        if (SEEN[pixel] === path) return 0;
        SEEN[pixel] = path;
      }
      g.rect(x, y, Math.max(w, 2), Math.max(h, 2));
      return 4;
    }
    // rings of a shape as a path in a tile's pixels; how many points that took. A ring ends where it
    // began: its first edge again closes it, in a time that closePath would take for all of a path;
    // but dashes would be drawn over one another
    function trace(g, k, at, n, side, far, open, dashed) {
      if (far) return dot(g, k, at, n, side, far);
      const least = at.z < FAR ? 1 : 0;  // far away points beside one another are one
      let points = 0, u = 0, v = 0;
      for (let r = starts[k]; r < starts[k + 1]; r++) {
        const end = ringAt[r + 1] - 2, to = end + (open || dashed || end - ringAt[r] < 4 ? 0 : 2);
        for (let p = ringAt[r]; p <= to; p += 2) {
          const q = p <= end ? p : ringAt[r] + 2;
          const x = (xy[q] * n - at.x) * side, y = (xy[q + 1] * n - at.y) * side;
          if (least && p !== ringAt[r] && p < end && Math.abs(x - u) + Math.abs(y - v) < least) continue;
          if (p === ringAt[r]) g.moveTo(x, y); else g.lineTo(x, y);
          points++; u = x; v = y;
        }
        if (dashed && !open) g.closePath();
      }
      return points;
    }
    function holds(k, x, y) {  // whether a point lies in a shape
      let inside = false;
      for (let r = starts[k]; r < starts[k + 1]; r++)
        for (let p = ringAt[r], q = ringAt[r + 1] - 2; p < ringAt[r + 1]; q = p, p += 2)
          if ((xy[p + 1] > y) !== (xy[q + 1] > y) &&
              x < (xy[q] - xy[p]) * (y - xy[p + 1]) / (xy[q + 1] - xy[p + 1]) + xy[p]) inside = !inside;
      return inside;
    }
    return {total, box, within, trace, holds};
  }
  const {box, within, trace, holds} = Shapes(H.shapes);
  const houseNode = unpacked(H.node), fixed = unpacked(H.fixed), collective = unpacked(H.collective);
  const coded = one => ({w: one.w, k: one.k ? unpacked(one.k) : null});
  const rivers = coded(H.river), banks = coded(H.bank), owners = coded(H.owner);
  let cardColumns = null;  // of all houses, and only wanted with the first card
  const cardOf = () => cardColumns || (cardColumns = [...document.querySelectorAll("script.pg-card")].map(
    one => {
      const [label, w, k] = JSON.parse(one.textContent);
      return {label, ...coded(typeof w === "string" ? H[w] : {w, k})};
    }));
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
    for (const k of within(x, y, x, y)) if (visible[k] && holds(k, x, y)) return k;
    return -1;
  }

  // --- classes by day: the last stage that a house had reached
  const S = DATA.stages, klass = new Int16Array(total), stage = new Int16Array(total);
  const visible = new Uint8Array(total).fill(1), nodeStage = N.map(() => -1);
  const stepAt = new Uint32Array(total + 1), steps = unpacked(H.steps);
  unpacked(H.stepped).forEach((n, k) => { stepAt[k + 1] = stepAt[k] + 2 * n; });
  let day = DATA.last, focus = -1;
  function classify() {
    for (const one of N) one.least = S.length;
    for (let k = 0; k < total; k++) {
      let top = -1;
      for (let j = stepAt[k]; j < stepAt[k + 1]; j += 2)
        if (steps[j + 1] <= day && steps[j] > top) top = steps[j];
      stage[k] = top;
      klass[k] = fixed[k] >= 0 ? fixed[k] : top < 0 ? DATA.todo : S[top].klass;
      const n = houseNode[k];
      if (n >= 0 && fixed[k] < 0 && top < N[n].least) N[n].least = top;
    }
    N.forEach((one, n) => { nodeStage[n] = one.least === S.length ? -1 : one.least; });
  }
  const nodeClass = n => nodeStage[n] < 0 ? DATA.todo : S[nodeStage[n]].klass;
  const letterOf = k => fixed[k] >= 0 || !S.length ? DATA.classes[klass[k]].letter
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
  // black with a white rim on a hatch, else in the ink of its class: a rim eats thin strokes
  function letterOn(g, text, k, x, y) {
    if (patterns[k]) { g.lineWidth = 3; g.strokeStyle = "#fff"; g.strokeText(text, x, y); }
    g.fillStyle = patterns[k] ? "#111" : DATA.classes[k].mark; g.fillText(text, x, y);
  }
  function swatch(one, k) {
    const c = document.createElement("canvas");
    c.width = 34; c.height = 18;
    const g = c.getContext("2d");
    g.fillStyle = one.fill; g.fillRect(0, 0, 34, 18);
    if (patterns[k]) { g.fillStyle = patterns[k]; g.fillRect(0, 0, 34, 18); }
    if (one.letter) {
      g.font = "bold 13px sans-serif"; g.textAlign = "center"; g.textBaseline = "middle";
      letterOn(g, one.letter, k, 17, 9);
    }
    return c;
  }

  // --- tiles: a few a frame, so that none waits for all of them. What is said to a canvas is painted
  // only at the end of its frame, so that how long the saying took is but part of it: a frame takes
  // as many tiles as have so many points between them, and one at least.
  const POINTS = 1500, waiting = [], spare = [];
  let asked = false;
  function drawWaiting(all) {
    let left = all === true ? Infinity : POINTS;
    while (waiting.length && left > 0) {
      const [layer, tile, at, done] = waiting.shift();
      if (tile.gone) continue;
      left -= layer.paint(tile, at);
      if (done) done(null, tile);
    }
    asked = waiting.length > 0;
    if (asked) requestAnimationFrame(drawWaiting);
  }
  const Tiles = L.GridLayer.extend({
    createTile: function (at, done) {
      const tile = spare.pop() || document.createElement("canvas");
      tile.gone = false; tile.side = this.getTileSize().x;
      waiting.push([this, tile, at, done]);
      if (!asked) { asked = true; requestAnimationFrame(drawWaiting); }
      return tile;
    },
    // what is seen stays, as large as it then is, until the tiles of another zoom are there
    getEvents: function () {
      const {viewprereset, ...others} = L.GridLayer.prototype.getEvents.call(this);
      return others;
    },
    // the same tiles with what has changed, without a moment of nothing
    repaint: function () {
      for (const one of Object.values(this._tiles || {}))
        if (!waiting.some(w => w[1] === one.el)) waiting.push([this, one.el, one.coords, null]);
      if (!asked && waiting.length) { asked = true; requestAnimationFrame(drawWaiting); }
    }
  });
  // where to draw on a tile, in its own pixels: a canvas gets its dots when there is something to draw
  function blank(tile, needed) {
    const dots = tile.side * Math.min(window.devicePixelRatio || 1, 2);
    if (tile.dots) tile.getContext("2d").clearRect(0, 0, tile.side, tile.side);
    if (!needed) return null;
    const g = tile.getContext("2d");
    if (tile.dots !== dots) {
      tile.width = tile.height = tile.dots = dots;
      g.scale(dots / tile.side, dots / tile.side);
    }
    g.globalAlpha = 1;
    return g;
  }
  const letterPictures = new Map();
  function letterPicture(text, k) {
    const key = k + text;
    if (letterPictures.has(key)) return letterPictures.get(key);
    const c = document.createElement("canvas"), dots = Math.min(window.devicePixelRatio || 1, 2);
    const g = c.getContext("2d");
    g.font = "bold 13px sans-serif";
    c.side = Math.ceil(g.measureText(text).width) + 6;
    c.width = c.side * dots; c.height = 20 * dots;
    g.scale(dots, dots);
    g.font = "bold 13px sans-serif"; g.textAlign = "center"; g.textBaseline = "middle";
    letterOn(g, text, k, c.side / 2, 10);
    letterPictures.set(key, c);
    return c;
  }
  const drawings = DATA.drawn.map(one => ({...one, shapes: Shapes(one.shapes)}));
  const Houses = Tiles.extend({
    paint: function (tile, at) {  // how many points it took
      const side = tile.side, n = 2 ** at.z * 256 / side, far = at.z < FAR, pad = 14 / side / n;
      const near = shapes =>
        shapes.within(at.x / n - pad, at.y / n - pad, (at.x + 1) / n + pad, (at.y + 1) / n + pad);
      const list = near({within}).filter(k => visible[k]);
      const below = drawings.map((one, i) => map.hasLayer(map.pgDrawn[i]) ? near(one.shapes) : []);
      const g = blank(tile, list.length || below.some(ks => ks.length));
      if (!g) return 0;
      let points = 0;
      drawings.forEach((one, i) => {  // what lies below the houses
        if (!below[i].length) return;
        g.beginPath();
        paths++;
        for (const k of below[i]) points += one.shapes.trace(g, k, at, n, side, one.small && far && paths, one.open,
          one.dash.length > 0);
        if (one.fill) { g.fillStyle = one.fill; g.fill(); }
        g.strokeStyle = one.colour; g.lineWidth = one.weight;
        g.setLineDash(one.dash); g.stroke(); g.setLineDash([]);
      });
      // one path for all houses of one look
      const looks = new Map();
      for (const k of list) {
        if (k === chosen) continue;
        const look = klass[k] + (focus < 0 || houseNode[k] === focus ? 0 : 1000);
        if (looks.has(look)) looks.get(look).push(k); else looks.set(look, [k]);
      }
      const drawn = (ks, look, edge, wide) => {
        const kind = look % 1000;
        g.globalAlpha = look < 1000 ? 1 : 0.3;
        g.beginPath();
        paths++;
        for (const k of ks) points += trace(g, k, at, n, side, far && paths);
        g.strokeStyle = edge; g.lineWidth = wide;
        if (far) g.stroke();
        g.fillStyle = DATA.classes[kind].fill; g.fill();
        if (patterns[kind] && !far) { g.fillStyle = patterns[kind]; g.fill(); }
        if (!far) g.stroke();
      };
      for (const [look, ks] of [...looks].sort((a, b) => b[0] - a[0])) drawn(ks, look, "#222", 1);
      if (list.includes(chosen)) drawn([chosen], klass[chosen], "#ff00c8", 4);
      if (at.z < 18) return points;
      for (const k of list) {
        g.globalAlpha = focus < 0 || houseNode[k] === focus ? 1 : 0.3;
        const c = letterPicture(letterOf(k), klass[k]);
        const x = ((box[4 * k] + box[4 * k + 2]) / 2 * n - at.x) * side;
        const y = ((box[4 * k + 1] + box[4 * k + 3]) / 2 * n - at.y) * side;
        g.drawImage(c, x - c.side / 2, y - 10, c.side, 20);
      }
      return points;
    }
  });
  let chosen = -1;
  map.createPane("pg-houses").style.zIndex = 450;
  map.getPane("pg-houses").style.pointerEvents = "none";
  const tiles = new Houses({pane: "pg-houses", maxZoom: 21, minZoom: 5, tileSize: 512, updateWhenZooming: false});
  tiles.on("tileunload", ({tile}) => {  // to be drawn anew: making canvases costs more than that
    tile.gone = true; tile.className = ""; tile.removeAttribute("style");
    blank(tile, false);
    if (!waiting.some(w => w[1] === tile) && spare.length < 40) spare.push(tile);
  });
  map.on("layeradd layerremove", e => { if ((map.pgDrawn || []).includes(e.layer)) tiles.repaint(); });

  // --- names, chainages, and from afar how many houses: only those in view stand in the page
  const texts = map.createPane("pg-texts");
  texts.style.zIndex = 620;
  const labels = DATA.labels.map(([lat, lng, text, kind, least]) => ({at: L.latLng(lat, lng), text, kind, least}));
  let groups = [], groupsOf = "";
  // on a wall, which is looked at from afar, letters are as much larger as in the style sheet
  const wall = window.matchMedia("(min-width:2400px)"), big = () => wall.matches ? 1.8 : 1;
  const ruler = el("canvas").getContext("2d");
  ruler.font = "bold 14px " + getComputedStyle(texts).fontFamily;
  function grouped() {  // houses in squares of the screen, each with its number
    const zoom = Math.floor(map.getZoom());
    groups = []; groupsOf = String(zoom);
    if (zoom >= DATA.seen_zoom) return;
    const side = 44 * big() / 256 / 2 ** zoom, found = new Map();
    for (let k = 0; k < total; k++) {
      if (!visible[k] || !(box[4 * k] <= box[4 * k + 2])) continue;
      const x = (box[4 * k] + box[4 * k + 2]) / 2, y = (box[4 * k + 1] + box[4 * k + 3]) / 2;
      const key = Math.floor(x / side) * 2 ** 26 + Math.floor(y / side);
      let one = found.get(key);
      if (!one) found.set(key, one = {n: 0, x: 0, y: 0, of: DATA.classes.map(() => 0), red: false});
      one.n++; one.x += x; one.y += y; one.of[klass[k]]++;
      // who is late is known of the last day only
      if (houseNode[k] >= 0 && day === DATA.last && N[houseNode[k]].signal === "red") one.red = true;
    }
    groups = apart([...found.values()], side / 44).map(({n, x, y, of, red}) => ({n, of, red, at: latlng(x, y)}));
  }
  const across = n => 23 + 7 * Math.log10(n);  // of the circle of so many houses, in dots
  // groups whose circles would lie on one another are one, where the larger of them is
  function apart(found, dot) {
    const near = 64 * dot, placed = new Map(), kept = [];
    for (const {n, x, y, of, red} of found.sort((a, b) => b.n - a.n)) {
      const one = {n, x: x / n, y: y / n, of, red}, i = Math.floor(one.x / near), j = Math.floor(one.y / near);
      let into = null, least = Infinity;
      for (let a = i - 1; a <= i + 1; a++)
        for (let b = j - 1; b <= j + 1; b++)
          for (const other of placed.get(a * 2 ** 26 + b) || []) {
            const far = Math.hypot(other.x - one.x, other.y - one.y);
            const room = (across(other.n + n) + across(n)) / 2 * dot + 4 * dot;
            if (far < room && far < least) { into = other; least = far; }
          }
      if (into) {
        into.n += n; into.red = into.red || red;
        of.forEach((m, k) => { into.of[k] += m; });
        continue;
      }
      kept.push(one);
      const key = i * 2 ** 26 + j, there = placed.get(key);
      if (there) there.push(one); else placed.set(key, [one]);
    }
    return kept;
  }
  // a number of houses within a ring that says of which classes they are
  function ringOf(of, n) {
    let upto = 0;
    const parts = of.map((m, k) => [m, k]).filter(([m]) => m).map(([m, k]) => {
      const from = upto;
      upto += 100 * m / n;
      return DATA.classes[k].fill + " " + from.toFixed(2) + "% " + upto.toFixed(2) + "%";
    });
    return "radial-gradient(circle closest-side,#fff 64%,#222 67%,#222 70%,transparent 73%),conic-gradient(" + parts + ")";
  }
  function write() {
    const zoom = map.getZoom(), view = map.getBounds().pad(0.3), made = [];
    if (groupsOf !== String(Math.floor(zoom))) grouped();
    const place = (name, at, text) => {
      const one = el("div", undefined, name), span = el("span", text), point = map.latLngToLayerPoint(at);
      one.append(span); one.style.left = point.x + "px"; one.style.top = point.y + "px";
      made.push(one);
      return span;
    };
    const taken = [];  // boxes of the screen: numbers of houses first, then names, then chainages
    for (const {n, of, red, at} of groups) {
      if (!view.contains(at)) continue;
      const size = across(n) * big(), span = place("pg-count", at, n);
      span.style.backgroundImage = ringOf(of, n);
      if (red) span.className = "red";
      const {x, y} = map.latLngToLayerPoint(at);
      const half = size / 2 + 3;  // with its rim
      taken.push([x - half, y - half, x + half, y + half]);
      span.style.width = span.style.height = span.style.lineHeight = size + "px";
      span.style.margin = -size / 2 + "px 0 0 " + -size / 2 + "px";
      span.addEventListener("click", e => {
        e.stopPropagation();
        map.setView(at, Math.min(map.getZoom() + 2, 19));
      });
    }
    const shown = labels.filter(one => zoom >= one.least && view.contains(one.at));
    shown.sort((a, b) => (b.kind === "pg-river") - (a.kind === "pg-river"));
    let named = false;  // one river at least is
    const seen = map.getBounds(), {x: west, y: north} = map.containerPointToLayerPoint([4, 4]);
    const {x: east, y: south} = map.containerPointToLayerPoint(map.getSize().subtract([4, 4]));
    for (const one of shown) {
      const river = one.kind === "pg-river", {x, y} = map.latLngToLayerPoint(one.at);
      const letters = [...one.text].reduce((sum, c) => sum + (c > "\u2e7f" ? 11.5 : 6.5), 0);
      const wide = ((river ? ruler.measureText(one.text).width : letters) + 8) * big();
      const high = (river ? 22 : 18) * big();
      const sides = river
        ? [8, 26, 46, 70].flatMap(far => [[far, 12], [far, -32], [-wide - far, 12], [-wide - far, -32],
                                          [-wide / 2, far], [-wide / 2, -20 - far]])
        : [[3, -7], [-wide - 3, -7], [-wide / 2, 6], [-wide / 2, -21], [-wide / 2, 20], [-wide / 2, -35]];
      // what is in sight is whole: a river's name moves inwards from the edge, a chainage stands elsewhere
      const held = (at, low, high) => Math.max(Math.min(at, high), low);
      const inward = seen.contains(one.at) ? sides.map(([dx, dy]) =>
        [held(dx, west - x, east - wide - x), held(dy, north - y, south - high - y)]) : sides;
      const places = river ? inward : sides.filter(([dx, dy], k) => inward[k][0] === dx && inward[k][1] === dy);
      const free = places.find(([dx, dy]) => !taken.some(([a, b, c, d]) =>
        x + dx < c && x + dx + wide > a && y + dy < d && y + dy + high > b));
      if (!free && (!river || named)) continue;  // no room: another zoom has it
      if (river) named = true;
      const [dx, dy] = free || places[0], span = place(one.kind, one.at, one.text);
      span.style.left = dx + "px"; span.style.top = dy + "px";
      if (!river && dx < 0) {  // its tick stands where the place is
        span.style.borderLeft = "0";
        if (dy === -7) span.style.borderRight = "2px solid #1a5276";
      }
      taken.push([x + dx, y + dy, x + dx + wide, y + dy + high]);
    }
    texts.replaceChildren(...made);
  }
  function count() { groupsOf = ""; write(); }
  map.on("zoomstart", () => texts.replaceChildren());
  // the frame after that of the tiles: both in one would be a long one
  let toWrite = false;
  map.on("moveend", () => {
    if (toWrite) return;
    toWrite = true;
    requestAnimationFrame(() => requestAnimationFrame(() => { toWrite = false; write(); }));
  });

  // --- the panel
  const panel = document.querySelector(".pg-panel"), find = q => panel.querySelector(q);
  const sheet = find(".pg-sheet"), body = find(".pg-body");
  find(".pg-handle").addEventListener("click", () => sheet.classList.toggle("open"));
  L.DomEvent.disableClickPropagation(panel);

  const filters = {};
  const options = {
    river: [...new Set([...rivers.w, ...N.map(n => n.river)])].filter(x => x),
    bank: [...new Set(banks.w)].filter(x => x),
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
  // without a campaign nothing is known of a node's progress
  const nodeWord = n => S.length ? stageWord(nodeStage[n]) : "";
  function choose() {
    for (let k = 0; k < total; k++) {
      const n = houseNode[k];
      visible[k] = wants("river", shown(rivers, k)) && wants("bank", shown(banks, k)) &&
        wants("group", n < 0 ? "" : N[n].group) && wants("klass", DATA.classes[klass[k]].word) &&
        (filters.stage == null || (fixed[k] < 0 && filters.stage === stageWord(stage[k]))) &&
        wants("collective", collective[k] ? W.yes : W.no) ? 1 : 0;
    }
  }
  const chosenNodes = () => N.map((one, n) => n).filter(n => {
    const one = N[n];
    return wants("river", one.river) && wants("bank", one.bank) && wants("group", one.group) &&
      wants("stage", stageWord(nodeStage[n])) && wants("klass", DATA.classes[nodeClass(n)].word) &&
      wants("collective", one.collective ? W.yes : W.no);
  });

  function legend(of) {  // of one node where its sheet is printed
    const counts = DATA.classes.map(() => 0);
    for (let k = 0; k < total; k++) if (visible[k] && (of === undefined || houseNode[k] === of)) counts[klass[k]]++;
    find(".pg-legend").replaceChildren(...DATA.classes.map((one, k) => {
      const row = el("div");
      row.dataset.klass = one.code;
      row.append(swatch(one, k), el("span", one.word));
      if (one.signs) row.append(el("small", one.signs));
      row.append(el("b", counts[k] + " " + W.houses));
      return row;
    }).filter((row, k) => counts[k] || DATA.classes[k].count));
  }
  function nodeTable() {
    const place = find(".pg-nodes");
    if (!N.length) { place.replaceChildren(); return; }
    const table = el("table"), head = el("thead"), row = el("tr"), rows = el("tbody");
    // of a project without groups, days or progress there is nothing to say in these columns
    const told = [true, N.some((one, n) => one.group || nodeWord(n)), N.some(one => one.late || one.due), true];
    W.node_heads.forEach((word, k) => { if (told[k]) row.append(el("th", word)); });
    head.append(row); table.append(head, rows);
    const list = chosenNodes();
    for (const n of list) {
      const one = N[n], tr = el("tr", undefined, one.signal + (n === focus ? " on" : ""));
      tr.dataset.node = one.id; tr.tabIndex = 0;
      const first = el("td");
      first.append(el("div", one.id), el("div", one.where));
      const second = el("td");
      second.append(el("div", nodeWord(n)), el("div", one.group));
      const third = el("td");
      third.append(el("div", one.late, "pg-late"), el("div", one.due));
      tr.append(...[first, second, third, el("td", one.amount)].filter((cell, k) => told[k]));
      tr.addEventListener("click", () => openNode(n));
      tr.addEventListener("keydown", e => { if (e.key === "Enter") openNode(n); });
      rows.append(tr);
    }
    const heading = N.some(one => one.signal) ? W.nodes : W.nodes_plain;
    find(".pg-nodes-head").textContent = heading.replace("{}", list.length);
    place.replaceChildren(table);
  }
  const housesOf = n => { const f = []; for (let k = 0; k < total; k++) if (houseNode[k] === n) f.push(k); return f; };
  function openNode(n) {
    focus = n; chosen = -1;
    const list = housesOf(n), place = find(".pg-houses");
    const b = list.length ? bounds(list) : null;
    if (b && b.isValid()) map.fitBounds(b.pad(0.4), {maxZoom: 19});
    const back = el("button", W.back, "pg-back"), print = el("button", W.print_node, "pg-back");
    back.addEventListener("click", () => { focus = -1; place.replaceChildren(); draw(); });
    print.addEventListener("click", () => window.print());
    const one = N[n], facts = el("div", undefined, "pg-facts " + one.signal);
    for (const text of [one.where, [one.group, one.leader].filter(x => x).join(" "), nodeWord(n),
                        one.due && W.due + " " + one.due, one.late + one.since, one.amount].filter(x => x))
      facts.append(el("span", text));
    place.replaceChildren(el("h2", one.id + " " + W.houses_of.replace("{}", list.length)), facts, back, print);
    for (const k of list) {
      const row = el("button", H.ids[k] + " " + shown(owners, k) + " " +
        (fixed[k] < 0 && S.length ? stageWord(stage[k]) : DATA.classes[klass[k]].word));
      row.dataset.house = H.ids[k];
      row.addEventListener("click", () => openHouse(k));
      place.append(row);
    }
    sheet.classList.remove("open");
    draw();
    // within the list alone: the page itself stays where it is
    body.scrollTop = place.offsetTop - body.offsetTop - 8;
  }
  function openHouse(k, at) {
    chosen = k;
    const table = el("table"), rows = [[W.id, H.ids[k]], [W.klass, DATA.classes[klass[k]].word]];
    if (fixed[k] < 0 && S.length) rows.push([W.stage, stageWord(stage[k])]);
    cardOf().forEach(one => rows.push([one.label, shown(one, k)]));
    for (const [word, text] of rows) {
      const row = el("tr"), cell = el("td"), isolated = el("bdi", text);
      cell.append(isolated); row.append(el("th", word), cell); table.append(row);
    }
    const card = el("div", undefined, "pg-popup");
    card.append(table);
    if (!at && map.getZoom() < 18) map.setView(middle(k), 18, {animate: false});
    map.closePopup();
    // the list of layers covers no card
    const layers = document.querySelector(".leaflet-control-layers-expanded");
    const covered = layers ? layers.getBoundingClientRect().bottom - map.getContainer().getBoundingClientRect().top : 0;
    const below = covered && map.getSize().y > covered + 380 * big() ? covered + 8 : 8;
    const aside = layers && below === 8 ? layers.offsetWidth * big() + 20 : 8;
    L.popup({maxWidth: Math.min(420 * big(), window.innerWidth - 60), autoPanPaddingTopLeft: [8, below],
      autoPanPaddingBottomRight: [aside, 8]}).setLatLng(at || middle(k)).setContent(card).openOn(map);
    sheet.classList.remove("open");
    tiles.repaint();
  }
  map.on("click", e => {
    const [x, y] = world(e.latlng), k = houseAt(x, y);
    if (k >= 0) { openHouse(k, e.latlng); return; }
    const hulls = drawings.find(one => one.nodes);
    if (!hulls || !map.hasLayer(map.pgDrawn[drawings.indexOf(hulls)])) return;
    const n = hulls.shapes.within(x, y, x, y).find(n => hulls.shapes.holds(n, x, y));
    if (n !== undefined) openNode(n);
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
      if (H.ids[k].toLowerCase().includes(want) || shown(owners, k).toLowerCase().includes(want))
        found.push([(H.ids[k] + " " + shown(owners, k)).trim(), () => openHouse(k)]);
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
  let before = null;
  const everything = L.latLngBounds(DATA.bounds).extend(
    L.latLngBounds(DATA.stations.flatMap(one => one.at.map(([c, x, y]) => [y, x]))));
  // until somebody takes the map in hand, all rivers are seen whole: a phone is turned, a window drawn smaller
  let untouched = true;
  const whole = () => {
    if (!untouched) return;
    map.options.zoomSnap = 0;  // a whole level less would leave half of a phone empty
    map.fitBounds(everything, {animate: false, padding: [28, 28]});
    map.options.zoomSnap = 1;
  };
  for (const act of ["pointerdown", "wheel", "keydown"])
    document.addEventListener(act, () => { untouched = false; }, {capture: true, passive: true});
  map.on("resize", whole);
  whole();
  window.addEventListener("beforeprint", () => {
    before = {bounds: map.getBounds()};
    map.getContainer().classList.add("pg-print");
    map.invalidateSize({animate: false});
    // what was seen fills the sheet; of a node, the node
    const seen = focus >= 0 ? bounds(housesOf(focus)).pad(0.4)
      : before.bounds.contains(everything) ? everything.pad(0.06) : before.bounds;
    if (focus >= 0) legend(focus);
    // the red line and all else that is shown, with its colour, as the list of layers has it
    find(".pg-drawn").replaceChildren(...[...document.querySelectorAll(".leaflet-control-layers-overlays label")]
      .filter(one => one.querySelector("input").checked)
      .map(one => { const row = el("div"); row.append(one.querySelector("span > span, span").cloneNode(true)); return row; }));
    find(".pg-drawn").querySelectorAll("input").forEach(one => one.remove());
    map.options.zoomSnap = 0;
    map.fitBounds(seen.isValid() ? seen : before.bounds, {animate: false, maxZoom: 19});
    map.eachLayer(one => { if (one._renderer && one.redraw) one.redraw(); });
    write();
    drawWaiting(true);
  });
  window.addEventListener("afterprint", () => {
    map.getContainer().classList.remove("pg-print");
    map.options.zoomSnap = 1;
    map.invalidateSize({animate: false});
    if (before) map.fitBounds(before.bounds, {animate: false});
    legend();
  });
  if (window.innerWidth < 761) {
    const layers = document.querySelector(".leaflet-control-layers");
    if (layers) layers.classList.remove("leaflet-control-layers-expanded");
  }

  function draw() {
    classify(); choose(); legend(); nodeTable(); count();
    if (said) said.textContent = dated(day);
    tiles.repaint();
  }
  tiles.addTo(map);
  draw();
  map.invalidateSize({animate: false});
  // painted: the frame after the first drawing is through
  drawWaiting(true);
  requestAnimationFrame(() => setTimeout(() => performance.mark("pg-ready"), 0));
  window.pgMap = {map: map, waiting: () => waiting.length + toWrite,
    groups: () => { write(); return groups.map(one => one.n); },
    rings: () => groups.map(one => Object.fromEntries(one.of.map((n, k) => [DATA.classes[k].code, n]))),
    openHouse: id => { untouched = false; openHouse(H.ids.indexOf(id)); },
    openNode: id => { untouched = false; openNode(N.findIndex(n => n.id === id)); },
    classes: () => Object.fromEntries(DATA.classes.map((c, k) => [c.code, H.ids.filter((id, i) => klass[i] === k)])),
    stages: () => Object.fromEntries(H.ids.map((id, k) => [id, stage[k] < 0 ? "todo" : S[stage[k]].code])),
    shown: () => H.ids.filter((id, k) => visible[k]), point: id => map.latLngToContainerPoint(middle(H.ids.indexOf(id))),
    nodes: () => chosenNodes().map(n => N[n].id)};
})
