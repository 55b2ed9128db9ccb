// A series in pixels: lines clipped to the plot, markers, error bars.

/// The rectangle of the plot and the axes along its sides.
struct Frame {
  let left, top, right, bottom: Double
  let xAxis, yAxis: Axis

  func x(_ value: Double) -> Double? { xAxis.fraction(value).map { left + $0 * (right - left) } }
  func y(_ value: Double) -> Double? { yAxis.fraction(value).map { bottom - $0 * (bottom - top) } }

  func contains(_ point: Pixel) -> Bool {
    point.x >= left - 0.01 && point.x <= right + 0.01 && point.y >= top - 0.01 && point.y <= bottom + 0.01
  }

  /// The part of a segment inside the rectangle (Liang and Barsky 1984).
  func clipped(_ a: Pixel, _ b: Pixel) -> (Pixel, Pixel)? {
    let dx = b.x - a.x
    let dy = b.y - a.y
    var start = 0.0
    var end = 1.0
    for (p, q) in [(-dx, a.x - left), (dx, right - a.x), (-dy, a.y - top), (dy, bottom - a.y)] {
      if p == 0 {
        if q < 0 { return nil }
      } else if p < 0 {
        start = max(start, q / p)
      } else {
        end = min(end, q / p)
      }
    }
    guard start <= end else { return nil }
    return (
      Pixel(x: a.x + start * dx, y: a.y + start * dy), Pixel(x: a.x + end * dx, y: a.y + end * dy)
    )
  }
}

struct Pixel: Equatable {
  var x, y: Double
}

extension Series {
  /// Draws the series as number `slot` of its plot.
  func draw(slot: Int, in frame: Frame, to svg: inout SVGWriter) {
    let pixels = points.map { point -> Pixel? in
      guard let x = frame.x(point.x), let y = frame.y(point.y) else { return nil }
      return Pixel(x: x, y: y)
    }
    let area = bandPath(in: frame)
    if !area.isEmpty { svg.path("plot-band " + color(slot), area) }
    drawErrorBars(pixels, slot: slot, in: frame, to: &svg)
    let runs = pixels.split(whereSeparator: { $0 == nil }).map { $0.compactMap { $0 } }
    if style != .markers {
      let data = runs.map { linePath(thinned($0), in: frame) }.joined()
      if !data.isEmpty { svg.path(lineClass(slot), data, dash: dash(slot)) }
    }
    // A point that no line reaches would be invisible without a marker.
    let marked = style == .line || style == .thinLine ? runs.filter { $0.count == 1 } : runs
    let data = markerPath(marked.joined().filter(frame.contains), slot: slot)
    if !data.isEmpty { svg.path(markerClass(slot), data) }
    for case (let pixel?, let words) in zip(pixels, told) where frame.contains(pixel) {
      svg.box("plot-unseen", x: pixel.x - 6, y: pixel.y - 6, width: 12, height: 12, told: words)
    }
  }

  /// Draws a short piece of the series for the legend.
  func drawSample(slot: Int, x: Double, y: Double, width: Double, to svg: inout SVGWriter) {
    if style != .markers {
      let data = "M\(coordinate(x)) \(coordinate(y))L\(coordinate(x + width)) \(coordinate(y))"
      svg.path(lineClass(slot), data, dash: dash(slot))
    }
    if style == .markers || style == .lineAndMarkers {
      svg.path(markerClass(slot), Marker(slot: look ?? slot).path(x: x + width / 2, y: y))
    }
  }

  private func color(_ slot: Int) -> String { Palette.colorClass(colorSlot ?? look ?? slot) }

  private func lineClass(_ slot: Int) -> String {
    "plot-line \(color(slot))" + (style == .thinLine ? " plot-thin" : "")
  }

  /// A thin line has many points: dashes would be lost in it.
  private func dash(_ slot: Int) -> String { style == .thinLine ? "" : Palette.dash(look ?? slot) }

  private func markerClass(_ slot: Int) -> String {
    "plot-marker \(color(slot))" + (Marker(slot: look ?? slot).isFilled ? " plot-filled" : "")
  }

  private func linePath(_ run: [Pixel], in frame: Frame) -> String {
    var data = ""
    var last: Pixel?
    for (a, b) in zip(run, run.dropFirst()) {
      guard let (from, to) = frame.clipped(a, b) else { continue }
      if from != last { data += "M\(coordinate(from.x)) \(coordinate(from.y))" }
      data += "L\(coordinate(to.x)) \(coordinate(to.y))"
      last = to
    }
    return data
  }

  /// Of many points in one column of pixels the first, the lowest, the highest and the last (Jugel et al. 2014,
  /// "M4"): the same picture, in a file whose size the picture bounds.
  private func thinned(_ run: [Pixel]) -> [Pixel] {
    guard run.count > 2000, zip(run, run.dropFirst()).allSatisfy({ $0.x <= $1.x }) else { return run }
    var result: [Pixel] = []
    var start = 0
    while start < run.count {
      let column = run[start].x.rounded(.down)
      var end = start
      var (lowest, highest) = (start, start)
      while end < run.count, run[end].x.rounded(.down) == column {
        if run[end].y < run[lowest].y { lowest = end }
        if run[end].y > run[highest].y { highest = end }
        end += 1
      }
      var previous = -1
      for index in [start, min(lowest, highest), max(lowest, highest), end - 1] where index > previous {
        result.append(run[index])
        previous = index
      }
      start = end
    }
    return result
  }

  private func markerPath(_ pixels: [Pixel], slot: Int) -> String {
    let marker = Marker(slot: look ?? slot)
    // On a line, markers closer than their own size say nothing; alone, only those at the same place do.
    let distance = style == .markers ? 0.5 : 9.0
    func meet(_ a: Pixel, _ b: Pixel) -> Bool { abs(a.x - b.x) < distance && abs(a.y - b.y) < distance }
    var marked: [Pixel] = []
    for pixel in pixels where marked.last.map({ !meet($0, pixel) }) ?? true { marked.append(pixel) }
    // Where a curve ends is what is looked for first: the last point has its marker, and others make room for it.
    if let last = pixels.last, marked.last != last {
      while marked.count > 1, meet(marked.last!, last) { marked.removeLast() }
      marked.append(last)
    }
    return marked.map { marker.path(x: $0.x, y: $0.y) }.joined()
  }

  /// The area between the two sides of the band, cut off at the plot's edges.
  private func bandPath(in frame: Frame) -> String {
    func height(_ value: Double) -> Double {
      // On a logarithmic axis what is not above zero lies below the bottom.
      min(max(frame.y(value) ?? frame.bottom, frame.top), frame.bottom)
    }
    var data = ""
    for run in band.split(whereSeparator: { !($0.low.isFinite && $0.high.isFinite) }) {
      let sides = run.compactMap { part in
        frame.x(part.x).map {
          (x: min(max($0, frame.left), frame.right), low: height(part.low), high: height(part.high))
        }
      }
      guard sides.count > 1 else { continue }
      let upper = sides.map { "\(coordinate($0.x)) \(coordinate($0.high))" }
      let lower = sides.reversed().map { "\(coordinate($0.x)) \(coordinate($0.low))" }
      data += "M" + (upper + lower).joined(separator: "L") + "Z"
    }
    return data
  }

  private func drawErrorBars(_ pixels: [Pixel?], slot: Int, in frame: Frame, to svg: inout SVGWriter) {
    var data = ""
    for (pixel, bar) in zip(pixels, errorBars) {
      guard let pixel, bar.low.isFinite, bar.high.isFinite else { continue }
      // On a logarithmic axis a bar down to zero goes on to the bottom.
      let low = frame.y(min(bar.low, bar.high)) ?? 1e6
      guard let high = frame.y(max(bar.low, bar.high)) else { continue }
      guard
        let (from, to) = frame.clipped(Pixel(x: pixel.x, y: low), Pixel(x: pixel.x, y: high))
      else { continue }
      let x = coordinate(pixel.x)
      data += "M\(x) \(coordinate(from.y))L\(x) \(coordinate(to.y))"
      for end in [(from, low), (to, high)] where abs(end.0.y - end.1) < 0.01 {
        let y = coordinate(end.0.y)
        data += "M\(coordinate(pixel.x - 3)) \(y)L\(coordinate(pixel.x + 3)) \(y)"
      }
    }
    if !data.isEmpty { svg.path("plot-bar " + color(slot), data) }
  }
}
