// Layers at work one after the other, with the values between them.

/// The layers of a model, or of a block within one. A dense layer and the activation behind it are one station, as are a
/// batch norm and ReLU.
final class Chain {
  /// Plain numbers and no references; a dense layer lies here itself, and nothing is looked up to call it.
  private struct Station {
    let dense: DenseProducts?
    let weight, bias: Int
    /// Fused with the dense layer.
    let activation: Activation?
    /// Whether the products of the dense layer add the bias and apply the activation.
    let finishes: Bool
    /// Any other layer: its place in `others`.
    let other: Int
    let inputs, outputs: Int
    /// Its parameters in the arena; empty where layers within it tell of their own.
    let parameters: Range<Int>
    /// Shape (maximumRows, outputs)
    let output: UnsafeMutablePointer<Float>
  }

  private let stations: UnsafeMutableBufferPointer<Station>
  private let others: [any LayerPass]
  /// What computes fused activations; nil: the mathematics library.
  private let instructions: Instructions?
  /// Whose memory the dense layers use.
  private let products: any MatrixProducts
  /// Floats of a partial sum over pieces, at most.
  let partialSumLength: Int
  /// Two buffers of (maximumRows, widest input but the first): the gradients at a station's output and its input.
  private let gradients: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)

  /// - Parameters:
  ///   - offset: the model's first float in the arena.
  ///   - number: layers count from here (`LayerPlace.number`).
  init(
    _ model: Sequential, offset: Int, number: Int, maximumRows: Int, passes: Set<[Int]>,
    waitingPasses: Set<[Int]>, seed: UInt64, arithmetic: Arithmetic, products: any MatrixProducts
  ) {
    instructions = arithmetic.instructions
    self.products = products
    var stations: [Station] = []
    var others: [any LayerPass] = []
    var partialSumLength = 0
    var tensors = model.tensors.makeIterator()
    var offsets: [[Int]] = []
    for (layer, input) in zip(model.layers, model.inputShapes) {
      offsets.append(layer.tensors(of: input).map { _ in offset + tensors.next()!.offset })
    }
    var index = 0
    while index < model.layers.count {
      let range = model.station(from: index)
      defer { index = range.upperBound }
      let layer = model.layers[index]
      let input = model.inputShapes[index]
      let requests = layer.tensors(of: input)
      let place = LayerPlace(
        number: number + index + 1, input: input, offsets: offsets[index], maximumRows: maximumRows,
        seed: seed, passes: passes, arithmetic: arithmetic, waitingPasses: waitingPasses,
        products: products)
      let pass =
        layer is any SpatialLayer
        ? SpatialPass(
          Array(model.layers[range]), on: Array(model.inputShapes[range]), offsets: Array(offsets[range]),
          place)
        : layer.prepared(place)
      if let norm = pass as? BatchNormPass { norm.hasReLU = range.count == 2 }
      let length = (pass as? any PieceSumming)?.partialSumLength
      partialSumLength = max(
        partialSumLength, length ?? requests.reduce(0) { $0 + $1.shape.reduce(1, *) })
      let dense = pass as? DensePass
      if dense == nil { others.append(pass) }
      let outputs = model.outputCounts[range.upperBound - 1]
      var products = dense?.products
      // Blocks go through memory that is as wide as what other layers read.
      if range.upperBound == model.layers.count { products?.freedom.remove(.outputBlocks) }
      // Tensors lie one behind the other.
      let start = offsets[range].joined().first ?? 0
      let end = zip(model.layers[range], model.inputShapes[range]).reduce(start) { end, pair in
        pair.0.tensors(of: pair.1).reduce(end) { $0 + $1.shape.reduce(1, *) }
      }
      stations.append(
        Station(
          dense: products, weight: dense?.weight ?? 0, bias: dense?.bias ?? 0,
          activation: dense != nil && range.count == 2 ? model.layers[index + 1] as? Activation : nil,
          finishes: dense?.products.finishes(range.count == 2 ? model.layers[index + 1] as? Activation : nil)
            ?? false,
          other: others.count - 1, inputs: input.count, outputs: outputs,
          parameters: layer is any CompositeLayer ? start..<start : start..<end,
          output: .allocate(capacity: max(1, maximumRows * outputs))))
    }
    self.stations = .allocate(capacity: stations.count)
    _ = self.stations.initialize(from: stations)
    self.others = others
    self.partialSumLength = partialSumLength
    let widest = stations.dropFirst().map(\.inputs).max() ?? 0
    gradients = (
      .allocate(capacity: max(1, maximumRows * widest)), .allocate(capacity: max(1, maximumRows * widest))
    )
  }

  deinit {
    for station in stations { station.output.deallocate() }
    stations.deallocate()
    gradients.0.deallocate()
    gradients.1.deallocate()
  }

  /// Whether `backward` needs the last output as it was.
  var keepsLastOutput: Bool {
    let last = stations[stations.count - 1]
    return last.dense == nil || last.activation != nil
  }

  /// The output for `input` of shape (rows, inputs); shape (rows, outputs), valid until the next call.
  @inline(__always)
  func forward(_ input: UnsafePointer<Float>, _ pass: borrowing Pass) -> UnsafeMutablePointer<Float> {
    let rows = pass.rows
    var x = input
    for station in stations {
      if let dense = station.dense, dense.freedom.contains(.outputBlocks),
        !pass.hasArrived(station.parameters)
      {
        forward(dense, station, x, asParametersArrive: pass)
        x = UnsafePointer(station.output)
        continue
      }
      pass.willRead(station.parameters)
      if let dense = station.dense {
        if station.finishes {
          dense.forward(
            x, weight: pass.parameters + station.weight, bias: pass.parameters + station.bias,
            station.activation, into: station.output, rows: rows)
        } else {
          dense.forward(
            x, weight: pass.parameters + station.weight, into: station.output, pieces: pass.pieces)
          Activation.addBiasAndApply(
            station.activation, to: station.output, bias: pass.parameters + station.bias, rows: rows,
            columns: station.outputs, instructions: instructions)
        }
      } else {
        others[station.other].forward(
          UnsafeBufferPointer(start: x, count: rows * station.inputs),
          into: UnsafeMutableBufferPointer(start: station.output, count: rows * station.outputs), pass)
      }
      x = UnsafePointer(station.output)
    }
    return stations[stations.count - 1].output
  }

  /// A dense layer's output, column by column as its parameters come. Another layer follows: the gradient at its input
  /// has yet to use its memory.
  @inline(never)
  private func forward(
    _ dense: DenseProducts, _ station: Station, _ x: UnsafePointer<Float>,
    asParametersArrive pass: borrowing Pass
  ) {
    let weight = pass.parameters + station.weight
    for block in dense.outputBlocks {
      pass.willRead(station.weight..<station.weight + block.upperBound * dense.inputs)
      dense.forward(
        x, weight: weight, outputs: block, through: gradients.0, into: station.output, pieces: pass.pieces)
    }
    pass.willRead(station.parameters)
    Activation.addBiasAndApply(
      station.activation, to: station.output, bias: pass.parameters + station.bias, rows: pass.rows,
      columns: station.outputs, instructions: instructions)
  }

  /// Gradients of the parameters and, if `inputGradient` is there, at the input.
  /// - Parameter last: the gradient at the output, shape (rows, outputs); overwritten. It may be `forward`'s result
  ///   unless `keepsLastOutput`.
  @inline(__always)
  func backward(
    _ last: UnsafeMutablePointer<Float>, input: UnsafePointer<Float>, _ pass: borrowing Pass,
    gradient: borrowing GradientSum, into inputGradient: UnsafeMutablePointer<Float>?
  ) {
    let rows = pass.rows
    var dy = last
    var free = gradients.0
    var index = stations.count - 1
    // Whether `dy` has its ReLU's derivative already.
    var isRectified = false
    while true {
      let station = stations[index]
      let x = index == 0 ? input : UnsafePointer(stations[index - 1].output)
      let dx = index == 0 ? inputGradient : free
      if let dense = station.dense {
        if let activation = station.activation, !isRectified {
          Activation.multiplyByDerivative(
            of: activation, dy, output: station.output, count: rows * station.outputs)
        }
        if pass.tellsOfGradients, !dense.isSmall, gradient.targets.count == 1 {
          tellOfGradients(dense, station, x, outputGradient: dy, pass, gradient)
        } else {
          for target in gradient.targets {
            dense.parameterGradients(
              x, outputGradient: dy, weight: target.arena + station.weight, bias: target.arena + station.bias,
              pieces: target.pieces, sum: gradient.sum, accumulate: gradient.accumulates)
          }
        }
        pass.didSum(station.parameters)
        isRectified =
          index > 0 && dense.finishes(.relu) && stations[index - 1].dense != nil
          && stations[index - 1].activation == .relu
        if let dx {
          dense.inputGradient(
            outputGradient: dy, weight: pass.parameters + station.weight, into: dx, pieces: pass.pieces,
            rectified: isRectified ? x : nil)
        }
      } else {
        isRectified = false
        others[station.other].backward(
          UnsafeBufferPointer(start: dy, count: rows * station.outputs),
          x: UnsafeBufferPointer(start: x, count: rows * station.inputs),
          y: UnsafeBufferPointer(start: station.output, count: rows * station.outputs),
          into: dx.map { UnsafeMutableBufferPointer(start: $0, count: rows * station.inputs) }, pass,
          gradient: gradient)
        pass.didSum(station.parameters)
      }
      pass.didRead(station.parameters)
      if index == 0 { return }
      dy = free
      free = free == gradients.0 ? gradients.1 : gradients.0
      index -= 1
    }
  }

  /// A dense layer's gradients from the last row of W to the first, each told of when it is there.
  @inline(never)
  private func tellOfGradients(
    _ dense: DenseProducts, _ station: Station, _ x: UnsafePointer<Float>,
    outputGradient dy: UnsafePointer<Float>, _ pass: borrowing Pass, _ gradient: borrowing GradientSum
  ) {
    let target = gradient.targets[0]
    dense.biasGradient(
      outputGradient: dy, into: target.arena + station.bias, pieces: target.pieces, sum: gradient.sum,
      accumulate: gradient.accumulates)
    let height = dense.rowsAtATime(pieces: target.pieces.count - 1)
    var (end, count) = (dense.outputs, 1)
    while end > 0 {
      let rows = max(0, ((end - 1) / height + 1 - count) * height)..<end
      dense.weightGradient(
        x, outputGradient: dy, into: target.arena + station.weight, rows: rows, pieces: target.pieces,
        sum: gradient.sum, accumulate: gradient.accumulates)
      pass.didSum(station.weight + rows.lowerBound * dense.inputs..<station.parameters.upperBound)
      // The network has something to do now: larger products take less time.
      end = rows.lowerBound
      count = min(4, 2 * count)
    }
  }
}

extension Sequential {
  /// The layers from `index` on that are one station: layers of neighbourhoods, a dense layer and its activation, a batch
  /// norm and ReLU, or one.
  fileprivate func station(from index: Int) -> Range<Int> {
    if layers[index] is any SpatialLayer { return spatialLayers(from: index) }
    return index..<index + (appliesActivation(index) ? 2 : 1)
  }

  /// Whether the layer at `index` applies the activation behind it.
  private func appliesActivation(_ index: Int) -> Bool {
    guard index + 1 < layers.count, let activation = layers[index + 1] as? Activation else { return false }
    return layers[index] is Dense ? activation.isFusible : layers[index] is BatchNorm && activation == .relu
  }
}
