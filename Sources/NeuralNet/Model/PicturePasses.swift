// Which layers of a model work on pictures, how many of them run as one, and on how many examples at a time.

extension Sequential {
  /// The layers from `index` on that run as one.
  func spatialLayers(from index: Int) -> Range<Int> {
    var end = index
    while end < layers.count, end == index ? layers[end] is any SpatialLayer : layers[end].goesOnWithPictures
    {
      end += 1
    }
    return index..<end
  }

  /// Examples of one forward and backward pass over a shard: as many as a user has said, if she has. nil: all of it.
  package func microBatch(_ asked: Int?) -> Int? {
    asked ?? (needsGlobalBatch || layers.contains { $0.comparesRows } ? nil : rowsOfPictures)
  }

  /// Examples that are enough for a pass where layers work on pictures: whole groups whose values stay in cache. nil: none
  /// does.
  package var rowsOfPictures: Int? {
    guard layers.contains(where: { $0.worksOnPictures }) else { return nil }
    let floats = inputCount + outputCounts.reduce(0, +)
    return min(256, max(16, (1 << 19) / floats / 16 * 16))
  }
}

extension Layer {
  /// Or some layer within it.
  fileprivate var worksOnPictures: Bool {
    self is Convolution || self is Pooling
      || (self as? Residual)?.layers.contains { $0.worksOnPictures } == true
  }

  fileprivate var goesOnWithPictures: Bool {
    self is any SpatialLayer || (self as? Activation)?.isFusible == true
  }
}
