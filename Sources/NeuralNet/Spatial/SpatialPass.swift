// Layers of neighbourhoods at work: convolutions, pooling and the activations among them, on groups of examples that stay
// in cache from the first of them to the last.
//
// Within a group a vector holds the same number of every example. An example's bits do not depend on the others; the
// gradient of a piece is the sum over its examples, from the first to the last. Both arithmetics compute them alike.
import CKernels

/// Some neighbouring layers as one.
final class SpatialPass: LayerPass, PieceSumming {
  private enum Stage {
    case convolution(ConvolutionWork)
    case pooling(ckernels_pooling, isMean: Bool)
    case activation(Activation)
  }

  private let kernels: UnsafePointer<ckernels_instructions>
  private var stages: [Stage] = []
  /// In front of each stage and behind the last one: where the values lie in a group, and the gradients at them.
  private let values, gradients: [PicturePlace]
  /// Shape (groups, numbers, lanes), and of one group.
  private let valueMemory, gradientMemory: UnsafeMutableBufferPointer<Float>
  private let valueCount: Int
  private let workspace: UnsafeMutablePointer<Float>
  /// The place of all tensors in the arena, where those of neighbouring layers lie side by side.
  private let parameters: Range<Int>
  /// Shape (pieces, parameters.count)
  private let sums: UnsafeMutableBufferPointer<Float>
  private let inputCount, outputCount: Int

  /// - Parameters:
  ///   - shapes: in front of each layer.
  ///   - offsets: of each layer's tensors in the arena.
  init(_ layers: [any Layer], on shapes: [Shape], offsets: [[Int]], _ place: LayerPlace) {
    guard let instructions = place.arithmetic.instructions ?? Instructions.chosen ?? Instructions.best else {
      preconditionFailure("every processor has the scalar set")
    }
    kernels = instructions.kernels
    let steps = SpatialStep.list(layers, on: shapes, offsets: offsets)
    let sizes = [PictureSize(checked: shapes[0])] + steps.map(\.output)
    (inputCount, outputCount) = (shapes[0].count, sizes[sizes.count - 1].shape.count)

    // What a convolution reads beyond a row of its input, or of the gradient at its output, are zeros there.
    var (values, gradients): ([PicturePlace], [PicturePlace]) = ([], [])
    var (valueCount, gradientCount) = (0, 0)
    for (index, size) in sizes.enumerated() {
      let next = index < steps.count ? steps[index].convolution : nil
      let value = PicturePlace(
        size, at: valueCount, left: next?.padding.horizontal ?? 0, right: next?.rightOfInput ?? 0)
      values.append(value)
      valueCount += value.count
      let borders = index > 0 ? steps[index - 1].convolution?.bordersOfGradient : nil
      let gradient = PicturePlace(
        size, at: gradientCount, left: borders?.left ?? 0, right: borders?.right ?? 0)
      gradients.append(gradient)
      gradientCount += gradient.count
    }
    (self.values, self.gradients, self.valueCount) = (values, gradients, valueCount)

    let firstParameter = offsets.lazy.compactMap(\.first).first ?? 0
    let floats = zip(layers, shapes).flatMap { $0.tensors(of: $1) }.reduce(0) { $0 + $1.shape.reduce(1, *) }
    parameters = firstParameter..<firstParameter + floats

    var workspaceCount = 0
    for (index, step) in steps.enumerated() {
      switch step.kind {
      case .convolution(let plan, let weight, let bias, let activation):
        let work = ConvolutionWork(
          plan, weight: weight, bias: bias, activation: activation, kernels: kernels, x: values[index],
          y: values[index + 1], dy: gradients[index + 1], dx: gradients[index])
        workspaceCount = max(workspaceCount, work.gradientCount)
        stages.append(.convolution(work))
      case .pooling(let layer, let picture):
        let window = layer.window(on: picture)
        let pooling = ckernels_pooling(
          x: values[index].picture, y: values[index + 1].picture, height: window.height, width: window.width,
          row_step: max(1, layer.stride), column_step: max(1, layer.stride),
          scale: 1 / Float(window.height * window.width))
        stages.append(.pooling(pooling, isMean: layer.kind != .largest))
      case .activation(let activation): stages.append(.activation(activation))
      }
    }

    let lanes = kernels.pointee.lanes
    let groups = (place.maximumRows + lanes - 1) / lanes
    let pieces = place.passes.map { $0.count - 1 }.max() ?? 1
    valueMemory = .allocateZeros(groups * valueCount * lanes)
    gradientMemory = .allocateZeros(gradientCount * lanes)
    workspace = .allocate(capacity: max(1, workspaceCount * lanes))
    sums = .allocateZeros(pieces * floats)
  }

  deinit {
    valueMemory.deallocate()
    gradientMemory.deallocate()
    workspace.deallocate()
    sums.deallocate()
  }

  var partialSumLength: Int { max(1, parameters.count) }

  func forward(
    _ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>, _ pass: borrowing Pass
  ) {
    guard let x = x.baseAddress, let y = y.baseAddress else { return }
    let lanes = kernels.pointee.lanes
    var (first, last) = (values[0].picture, values[stages.count].picture)
    for start in stride(from: 0, to: pass.rows, by: lanes) {
      let group = valueMemory.baseAddress! + start * valueCount
      let rows = min(lanes, pass.rows - start)
      kernels.pointee.gather_examples(
        &first, group + values[0].start * lanes, x + start * inputCount, inputCount, rows)
      for (index, stage) in stages.enumerated() {
        let from = group + values[index].start * lanes
        let to = group + values[index + 1].start * lanes
        switch stage {
        case .convolution(let work): work.forward(group, parameters: pass.parameters)
        case .pooling(var pooling, let isMean):
          (isMean ? kernels.pointee.mean_pool : kernels.pointee.largest_pool)(&pooling, to, from)
        case .activation(let activation):
          var (of, into) = (values[index].picture, values[index + 1].picture)
          kernels.pointee.activate_picture(&of, from, &into, to, activation.ofPicture)
        }
      }
      kernels.pointee.scatter_examples(
        &last, group + values[stages.count].start * lanes, y + start * outputCount, outputCount, rows)
    }
  }

  func backward(
    _ dy: UnsafeBufferPointer<Float>, x: UnsafeBufferPointer<Float>, y: UnsafeBufferPointer<Float>,
    into dx: UnsafeMutableBufferPointer<Float>?, _ pass: borrowing Pass, gradient: borrowing GradientSum
  ) {
    guard let dy = dy.baseAddress else { return }
    let lanes = kernels.pointee.lanes
    beginSums(pass, gradient)
    let memory = gradientMemory.baseAddress!
    var (first, last) = (gradients[0].picture, gradients[stages.count].picture)
    for start in stride(from: 0, to: pass.rows, by: lanes) {
      let group = valueMemory.baseAddress! + start * valueCount
      let rows = min(lanes, pass.rows - start)
      kernels.pointee.gather_examples(
        &last, memory + gradients[stages.count].start * lanes, dy + start * outputCount, outputCount, rows)
      for index in stages.indices.reversed() {
        backward(
          index, group, memory, rows: start..<start + rows, pass, wantsInput: index > 0 || dx != nil)
      }
      if let dx = dx?.baseAddress {
        kernels.pointee.scatter_examples(
          &first, memory + gradients[0].start * lanes, dx + start * inputCount, inputCount, rows)
      }
    }
    gradient.store(parameters, of: pass, from: sums.baseAddress!, stride: parameters.count)
  }

  /// One stage of one group.
  private func backward(
    _ index: Int, _ group: UnsafeMutablePointer<Float>, _ memory: UnsafeMutablePointer<Float>,
    rows: Range<Int>, _ pass: borrowing Pass, wantsInput: Bool
  ) {
    let lanes = kernels.pointee.lanes
    let x = group + values[index].start * lanes
    let y = group + values[index + 1].start * lanes
    let dx = memory + gradients[index].start * lanes
    let dy = memory + gradients[index + 1].start * lanes
    switch stages[index] {
    case .convolution(let work):
      if let activation = work.activation { multiply(dy, by: activation, y, index) }
      let pieces = pass.pieces
      work.parameterGradients(group, memory, workspace: workspace) { parameter, count, gradients in
        addToPieces(parameter, count, gradients, rows: rows, pieces)
      }
      if wantsInput { work.inputGradient(memory, parameters: pass.parameters) }
    case .pooling(let pooling, let isMean):
      guard wantsInput else { return }
      var work = ckernels_pooling_gradient(
        pooling: pooling, dx: gradients[index].picture, dy: gradients[index + 1].picture)
      if isMean {
        kernels.pointee.mean_pool_gradient(&work, dx, dy)
      } else {
        kernels.pointee.largest_pool_gradient(&work, dx, dy, x, y)
      }
    case .activation(let activation):
      guard wantsInput else { return }
      multiply(dy, by: activation, y, index)
      var (from, to) = (gradients[index + 1].picture, gradients[index].picture)
      kernels.pointee.copy_picture(&from, dy, &to, dx)
    }
  }

  private func multiply(
    _ dy: UnsafeMutablePointer<Float>, by activation: Activation, _ y: UnsafeMutablePointer<Float>,
    _ index: Int
  ) {
    var (ofGradient, ofValue) = (gradients[index + 1].picture, values[index + 1].picture)
    kernels.pointee.activation_gradient(&ofGradient, dy, &ofValue, y, activation.ofPicture)
  }

  /// The sums begin with 0, or with what earlier rows of the only piece have left.
  private func beginSums(_ pass: borrowing Pass, _ gradient: borrowing GradientSum) {
    guard gradient.accumulates else {
      return UnsafeMutableBufferPointer(rebasing: sums[..<(pass.pieceCount * parameters.count)])
        .update(repeating: 0)
    }
    sums.baseAddress!.update(
      from: gradient.targets[0].arena + parameters.lowerBound, count: parameters.count)
  }

  /// - Parameters:
  ///   - parameter: its place in the arena.
  ///   - rows: of the pass, in this group.
  private func addToPieces(
    _ parameter: Int, _ count: Int, _ gradients: UnsafePointer<Float>, rows: Range<Int>,
    _ pieces: UnsafeBufferPointer<Int>
  ) {
    let place = sums.baseAddress! + (parameter - parameters.lowerBound)
    for piece in 0..<pieces.count - 1 {
      let own = (pieces[piece]..<pieces[piece + 1]).clamped(to: rows)
      guard !own.isEmpty else { continue }
      kernels.pointee.add_examples(
        place + piece * parameters.count, gradients, count, own.lowerBound - rows.lowerBound,
        own.upperBound - rows.lowerBound)
    }
  }
}

extension UnsafeMutableBufferPointer<Float> {
  fileprivate static func allocateZeros(_ count: Int) -> UnsafeMutableBufferPointer<Float> {
    let memory = UnsafeMutableBufferPointer.allocate(capacity: Swift.max(1, count))
    memory.initialize(repeating: 0)
    return memory
  }
}
