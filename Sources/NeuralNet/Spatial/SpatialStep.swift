// Which layers run together, and what each of them does to a picture.
import CKernels

/// What happens to a picture at once: a layer, or a convolution and the activation behind it.
struct SpatialStep {
  enum Kind {
    case convolution(ConvolutionPlan, weight: Int, bias: Int?, activation: Activation?)
    case pooling(Pooling, on: PictureSize)
    case activation(Activation)
  }

  let kind: Kind
  let output: PictureSize

  var convolution: ConvolutionPlan? {
    if case .convolution(let plan, _, _, _) = kind { plan } else { nil }
  }

  /// - Parameters:
  ///   - shapes: in front of each layer.
  ///   - offsets: of each layer's tensors in the arena.
  static func list(_ layers: [any Layer], on shapes: [Shape], offsets: [[Int]]) -> [SpatialStep] {
    var steps: [SpatialStep] = []
    var picture = PictureSize(checked: shapes[0])
    for (index, layer) in layers.enumerated() {
      switch layer {
      case let layer as Convolution:
        let plan = ConvolutionPlan(layer, on: picture)
        let offsets = offsets[index]
        steps.append(
          SpatialStep(
            kind: .convolution(
              plan, weight: offsets[0], bias: offsets.count > 1 ? offsets[1] : nil, activation: nil),
            output: plan.output))
      case let layer as Pooling:
        steps.append(SpatialStep(kind: .pooling(layer, on: picture), output: layer.outputSize(on: picture)))
      case let layer as Activation:
        if case .convolution(let plan, let weight, let bias, nil)? = steps.last?.kind {
          steps[steps.count - 1] = SpatialStep(
            kind: .convolution(plan, weight: weight, bias: bias, activation: layer), output: plan.output)
        } else {
          steps.append(SpatialStep(kind: .activation(layer), output: picture))
        }
      default: break  // Flatten: every number stays where it is.
      }
      picture = steps.last?.output ?? picture
    }
    return steps
  }
}

extension Sequential {
  /// The layers from `index` on that run as one.
  func spatialLayers(from index: Int) -> Range<Int> {
    var end = index
    while end < layers.count, end == index ? layers[end] is any SpatialLayer : layers[end].goesOnWithPictures {
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
