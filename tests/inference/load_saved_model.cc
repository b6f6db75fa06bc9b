// Runs signatures of a SavedModel by TensorFlow's own library, without Python:
// TF_LoadSessionFromSavedModel calls tensorflow::LoadSavedModel, the function
// that TensorFlow Serving loads models with.
//
//   load_saved_model MODEL OUTPUT SIGNATURES IMAGE HEIGHT WIDTH FILE...
//
// SIGNATURES is a text file with a line for every output: "signature output
// feed fetch", the last two as in the SavedModel, "operation:number". The
// signature predict_tensor gets one image, raw float32 [HEIGHT, WIDTH, 3], every
// other one the contents of the files as one batch. Every output is written to
// OUTPUT/<signature>.<output>.raw, and its signature, name, type (as a number)
// and shape to stdout.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"

namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    std::cerr << "cannot read " << path << "\n";
    std::exit(1);
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

void Check(const TF_Status* status, const char* what) {
  if (TF_GetCode(status) != TF_OK) {
    std::cerr << what << ": " << TF_Message(status) << "\n";
    std::exit(1);
  }
}

TF_Tensor* BytesInput(const std::vector<std::string>& paths) {
  const int64_t count = static_cast<int64_t>(paths.size());
  TF_Tensor* tensor =
      TF_AllocateTensor(TF_STRING, &count, 1, count * sizeof(TF_TString));
  auto* strings = static_cast<TF_TString*>(TF_TensorData(tensor));
  for (int64_t i = 0; i < count; ++i) {
    const std::string content = ReadFile(paths[i]);
    TF_TString_Init(&strings[i]);
    TF_TString_Copy(&strings[i], content.data(), content.size());
  }
  return tensor;
}

TF_Tensor* ImageInput(const std::string& path, int64_t height, int64_t width) {
  const int64_t shape[] = {1, height, width, 3};
  const std::string content = ReadFile(path);
  const size_t size = height * width * 3 * sizeof(float);
  if (content.size() != size) {
    std::cerr << path << " does not hold " << size << " bytes\n";
    std::exit(1);
  }
  TF_Tensor* tensor = TF_AllocateTensor(TF_FLOAT, shape, 4, size);
  std::memcpy(TF_TensorData(tensor), content.data(), size);
  return tensor;
}

TF_Output Place(TF_Graph* graph, const std::string& name) {
  const size_t colon = name.find(':');
  TF_Operation* operation =
      TF_GraphOperationByName(graph, name.substr(0, colon).c_str());
  if (operation == nullptr) {
    std::cerr << "no operation " << name << "\n";
    std::exit(1);
  }
  return {operation, std::atoi(name.c_str() + colon + 1)};
}

// One line of SIGNATURES.
struct Output {
  std::string signature, name, feed, fetch;
};

void Write(const std::string& folder, const Output& output,
           const TF_Tensor* tensor) {
  std::ofstream stream(
      folder + "/" + output.signature + "." + output.name + ".raw",
      std::ios::binary);
  stream.write(static_cast<const char*>(TF_TensorData(tensor)),
               TF_TensorByteSize(tensor));
  std::cout << output.signature << " " << output.name << " "
            << TF_TensorType(tensor);
  for (int i = 0; i < TF_NumDims(tensor); ++i) {
    std::cout << " " << TF_Dim(tensor, i);
  }
  std::cout << "\n";
}

// Runs the outputs of one signature together.
void Run(TF_Session* session, TF_Graph* graph,
         const std::vector<Output>& outputs, TF_Tensor* input,
         const std::string& folder) {
  const TF_Output feed = Place(graph, outputs.front().feed);
  std::vector<TF_Output> fetches;
  for (const Output& output : outputs) {
    fetches.push_back(Place(graph, output.fetch));
  }
  std::vector<TF_Tensor*> tensors(outputs.size(), nullptr);
  TF_Status* status = TF_NewStatus();
  TF_SessionRun(session, nullptr, &feed, &input, 1, fetches.data(),
                tensors.data(), static_cast<int>(tensors.size()), nullptr, 0,
                nullptr, status);
  Check(status, "run");
  for (size_t i = 0; i < outputs.size(); ++i) {
    Write(folder, outputs[i], tensors[i]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 7) {
    std::cerr << "usage: load_saved_model MODEL OUTPUT SIGNATURES IMAGE HEIGHT "
                 "WIDTH FILE...\n";
    return 2;
  }
  const char* tags[] = {"serve"};
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_Session* session = TF_LoadSessionFromSavedModel(
      TF_NewSessionOptions(), nullptr, words[0].c_str(), tags, 1, graph,
      nullptr, status);
  Check(status, "load");
  std::vector<std::vector<Output>> signatures;
  std::ifstream stream(words[2]);
  for (Output next;
       stream >> next.signature >> next.name >> next.feed >> next.fetch;) {
    if (signatures.empty() ||
        signatures.back().front().signature != next.signature) {
      signatures.emplace_back();
    }
    signatures.back().push_back(next);
  }
  for (const auto& outputs : signatures) {
    TF_Tensor* input =
        outputs.front().signature == "predict_tensor"
            ? ImageInput(words[3], std::atoll(words[4].c_str()),
                         std::atoll(words[5].c_str()))
            : BytesInput({words.begin() + 6, words.end()});
    Run(session, graph, outputs, input, words[1]);
  }
  return 0;
}
