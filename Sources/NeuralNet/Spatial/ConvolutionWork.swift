// A convolution at work on one group of examples.
import CKernels

/// A convolution whose input, output and gradients have their places in a group's memory.
final class ConvolutionWork {
  let plan: ConvolutionPlan
  /// The first floats of W and of the bias, among the parameters of the pass.
  let weight: Int
  let bias: Int?
  /// Applied to the output where it is computed.
  let activation: Activation?
  private let kernels: UnsafePointer<ckernels_instructions>
  private let x, y, dy, dx: PicturePlace
  private let forwardTaps: Taps
  /// For each row and column of a block of (stride, stride) numbers of the input.
  private let backwardTaps: [(row: Int, column: Int, taps: Taps)]
  private let rowsOfKernelRows: UnsafeMutableBufferPointer<Int>

  /// - Parameters:
  ///   - x, y: where its values lie.
  ///   - dy, dx: where the gradients at them do.
  init(
    _ plan: ConvolutionPlan, weight: Int, bias: Int?, activation: Activation?,
    kernels: UnsafePointer<ckernels_instructions>, x: PicturePlace, y: PicturePlace, dy: PicturePlace,
    dx: PicturePlace
  ) {
    (self.plan, self.weight, self.bias, self.activation) = (plan, weight, bias, activation)
    (self.kernels, self.x, self.y, self.dy, self.dx) = (kernels, x, y, dy, dx)
    let atOnce = kernels.pointee.columns_at_once
    forwardTaps = plan.forward(x.picture, atOnce: atOnce)
    let (stride, input) = (plan.stride, plan.input)
    backwardTaps = (0..<min(stride, input.height)).flatMap { row in
      (0..<min(stride, input.width)).map { column in
        (row, column, plan.backward(dy.picture, row: row, column: column, atOnce: atOnce))
      }
    }
    rowsOfKernelRows = .allocate(capacity: 2 * plan.kernel.height)
    _ = rowsOfKernelRows.initialize(from: plan.rowsOfKernelRows)
  }

  deinit {
    forwardTaps.deallocate()
    for part in backwardTaps { part.taps.deallocate() }
    rowsOfKernelRows.deallocate()
  }

  /// Floats of the gradients of the channels that are computed at once, for one example.
  var gradientCount: Int {
    min(plan.outputs, Int(CKERNELS_CHANNELS_AT_ONCE)) * (plan.weightsOfChannel + 1)
  }

  /// - Parameter values: the group's.
  func forward(_ values: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    let lanes = kernels.pointee.lanes
    for group in 0..<plan.groups {
      let first = group * plan.outputs
      var work = ckernels_convolution()
      work.x = UnsafePointer(values + (x.start + group * plan.inputs * x.picture.channel) * lanes)
      work.w = parameters + weight + first * plan.weightsOfChannel
      work.y = values + (y.start + first * y.picture.channel) * lanes
      work.bias = bias.map { parameters + $0 + first }
      work.taps = UnsafePointer(forwardTaps.taps.baseAddress)
      work.row_taps = UnsafePointer(forwardTaps.rowTaps.baseAddress)
      (work.channels, work.rows, work.columns) = (plan.outputs, forwardTaps.rows, forwardTaps.columns)
      (work.x_row, work.x_column) = (plan.stride * x.picture.row, plan.stride)
      (work.y_channel, work.y_row, work.y_column) = (y.picture.channel, y.picture.row, 1)
      work.w_channel = plan.weightsOfChannel
      work.rectifies = activation == .relu
      kernels.pointee.convolve(&work)
    }
    if let activation, activation != .relu {
      var picture = y.picture
      let start = values + y.start * lanes
      kernels.pointee.activate_picture(&picture, start, &picture, start, activation.ofPicture)
    }
  }

  /// The gradients of the parameters for one group, added to the sums of its examples' pieces.
  /// - Parameters:
  ///   - workspace: room for `gradientCount` numbers of every example.
  ///   - add: told the place of a parameter among those of the pass, and the gradients of it and those behind it.
  func parameterGradients(
    _ values: UnsafePointer<Float>, _ gradients: UnsafePointer<Float>, workspace: UnsafeMutablePointer<Float>,
    add: (_ parameter: Int, _ count: Int, _ gradients: UnsafePointer<Float>) -> Void
  ) {
    let lanes = kernels.pointee.lanes
    let atOnce = min(plan.outputs, Int(CKERNELS_CHANNELS_AT_ONCE))
    let ofBias = workspace + atOnce * plan.weightsOfChannel * lanes
    for group in 0..<plan.groups {
      for channel in stride(from: 0, to: plan.outputs, by: atOnce) {
        let first = group * plan.outputs + channel
        let count = min(atOnce, plan.outputs - channel)
        var work = ckernels_weight_gradient()
        work.x = values + (x.start + group * plan.inputs * x.picture.channel) * lanes
        work.dy = gradients + (dy.start + first * dy.picture.channel) * lanes
        (work.dw, work.db) = (workspace, bias == nil ? nil : ofBias)
        work.taps = UnsafePointer(forwardTaps.taps.baseAddress)
        work.kernel_row_rows = UnsafePointer(rowsOfKernelRows.baseAddress)
        (work.kernel_rows, work.taps_of_row) = (plan.kernel.height, plan.inputs * plan.kernel.width)
        (work.channels, work.rows, work.columns) = (count, plan.output.height, plan.output.width)
        (work.x_row, work.x_column) = (plan.stride * x.picture.row, plan.stride)
        (work.dy_channel, work.dy_row) = (dy.picture.channel, dy.picture.row)
        work.dw_channel = plan.weightsOfChannel
        kernels.pointee.convolution_weights(&work)
        add(weight + first * plan.weightsOfChannel, count * plan.weightsOfChannel, workspace)
        if let bias { add(bias + first, count, ofBias) }
      }
    }
  }

  /// - Parameter gradients: the group's; the one at the input is written.
  func inputGradient(_ gradients: UnsafeMutablePointer<Float>, parameters: UnsafePointer<Float>) {
    let lanes = kernels.pointee.lanes
    let size = plan.kernel.height * plan.kernel.width
    for group in 0..<plan.groups {
      for part in backwardTaps {
        var work = ckernels_convolution()
        work.x = UnsafePointer(gradients + (dy.start + group * plan.outputs * dy.picture.channel) * lanes)
        work.w = parameters + weight + group * plan.outputs * plan.weightsOfChannel
        let start = dx.start + group * plan.inputs * dx.picture.channel
        work.y = gradients + (start + part.row * dx.picture.row + part.column) * lanes
        work.taps = UnsafePointer(part.taps.taps.baseAddress)
        work.row_taps = UnsafePointer(part.taps.rowTaps.baseAddress)
        (work.channels, work.rows, work.columns) = (plan.inputs, part.taps.rows, part.taps.columns)
        (work.x_row, work.x_column) = (dy.picture.row, 1)
        (work.y_channel, work.y_row) = (dx.picture.channel, plan.stride * dx.picture.row)
        (work.y_column, work.w_channel) = (plan.stride, size)
        kernels.pointee.convolve(&work)
      }
    }
  }
}

extension Activation {
  /// - Precondition: it is fusible.
  var ofPicture: ckernels_activation {
    switch self {
    case .relu: CKERNELS_RELU
    case .sigmoid: CKERNELS_LOGISTIC
    case .tanh: CKERNELS_TANH
    case .gelu: preconditionFailure("gelu is not fused: its derivative needs its input")
    }
  }
}
