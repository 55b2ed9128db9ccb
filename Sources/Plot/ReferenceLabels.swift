// Labels of reference lines: outside the curves, and pushed apart where they would meet.

/// A label of several lines of text with the place where it belongs and the place where there is room.
struct PlacedLabel {
  let lines: [String]
  /// Where the line is, in pixels along the axis.
  let wanted: Double
  /// The middle of the label, in pixels along the axis.
  var place: Double
}

/// Places labels of these extents one after the other between `low` and `high`, each as near to where it
/// belongs as the others allow.
func spread(_ labels: [(lines: [String], wanted: Double, extent: Double)], low: Double, high: Double)
  -> [PlacedLabel]
{
  let sorted = labels.sorted { $0.wanted < $1.wanted }
  var places: [Double] = []
  var end = low
  for label in sorted {
    let place = max(label.wanted, end + label.extent / 2)
    places.append(place)
    end = place + label.extent / 2
  }
  // Those that went past the end push the others back.
  var limit = high
  for index in places.indices.reversed() {
    places[index] = min(places[index], limit - sorted[index].extent / 2)
    limit = places[index] - sorted[index].extent / 2
  }
  return zip(sorted, places).map { PlacedLabel(lines: $0.lines, wanted: $0.wanted, place: $1) }
}
