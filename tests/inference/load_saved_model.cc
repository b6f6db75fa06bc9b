// Runs signatures of a SavedModel through tensorflow::LoadSavedModel, the
// function that TensorFlow Serving loads models with.
//
//   load_saved_model MODEL OUTPUT IMAGE HEIGHT WIDTH FILE...
//
// Calls predict_tensor with one image, raw float32 [HEIGHT, WIDTH, 3], and
// serving_default with the contents of the files as one batch. Every output is
// written to OUTPUT/<signature>.<name>.raw, and its signature, name, type and
// shape to stdout.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/types.h"
#include "tensorflow/core/public/session_options.h"

namespace {

using tensorflow::Tensor;
using tensorflow::TensorShape;

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    std::cerr << "cannot read " << path << "\n";
    std::exit(1);
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

Tensor BytesInput(const std::vector<std::string>& paths) {
  Tensor tensor(tensorflow::DT_STRING,
                TensorShape({static_cast<int64_t>(paths.size())}));
  for (size_t i = 0; i < paths.size(); ++i) {
    tensor.flat<tensorflow::tstring>()(i) = ReadFile(paths[i]);
  }
  return tensor;
}

Tensor ImageInput(const std::string& path, int64_t height, int64_t width) {
  Tensor tensor(tensorflow::DT_FLOAT, TensorShape({1, height, width, 3}));
  const std::string content = ReadFile(path);
  if (content.size() != tensor.TotalBytes()) {
    std::cerr << path << " does not hold " << tensor.TotalBytes() << " bytes\n";
    std::exit(1);
  }
  std::memcpy(tensor.data(), content.data(), content.size());
  return tensor;
}

void WriteOutput(const std::string& folder, const std::string& signature,
                 const std::string& name, const Tensor& tensor) {
  std::ofstream stream(folder + "/" + signature + "." + name + ".raw",
                       std::ios::binary);
  stream.write(static_cast<const char*>(tensor.data()), tensor.TotalBytes());
  std::cout << signature << " " << name << " " << tensorflow::DataTypeString(tensor.dtype());
  for (int i = 0; i < tensor.dims(); ++i) {
    std::cout << " " << tensor.dim_size(i);
  }
  std::cout << "\n";
}

void Run(const tensorflow::SavedModelBundle& bundle,
         const std::string& signature_name, const Tensor& input,
         const std::string& folder) {
  const auto& signature = bundle.GetSignatures().at(signature_name);
  std::vector<std::string> names;
  std::vector<std::string> fetches;
  for (const auto& output : signature.outputs()) {
    names.push_back(output.first);
    fetches.push_back(output.second.name());
  }
  const std::string feed = signature.inputs().begin()->second.name();
  std::vector<Tensor> outputs;
  const auto status =
      bundle.GetSession()->Run({{feed, input}}, fetches, {}, &outputs);
  if (!status.ok()) {
    std::cerr << "run: " << status.ToString() << "\n";
    std::exit(1);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    WriteOutput(folder, signature_name, names[i], outputs[i]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 6) {
    std::cerr
        << "usage: load_saved_model MODEL OUTPUT IMAGE HEIGHT WIDTH FILE...\n";
    return 2;
  }
  tensorflow::SavedModelBundle bundle;
  const auto status = tensorflow::LoadSavedModel(
      tensorflow::SessionOptions(), tensorflow::RunOptions(), words[0],
      {"serve"}, &bundle);
  if (!status.ok()) {
    std::cerr << "load: " << status.ToString() << "\n";
    return 1;
  }
  Run(bundle, "predict_tensor",
      ImageInput(words[2], std::atoll(words[3].c_str()),
                 std::atoll(words[4].c_str())),
      words[1]);
  Run(bundle, "serving_default", BytesInput({words.begin() + 5, words.end()}),
      words[1]);
  return 0;
}
