// Files of the operating system: read at a place, replaced in one step. The only file that uses POSIX.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cmlp::inline v0_1 {

/// A file descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();
    int number() const { return number_; }

private:
    int number_;
};

/// A regular file opened for reading; throws std::invalid_argument "load: cannot open ..." otherwise.
class InputFile {
public:
    explicit InputFile(const std::string& path);
    std::size_t size() const { return size_; }
    /// Fills out from the bytes at offset; throws std::invalid_argument when the file ends before.
    void read(std::size_t offset, std::span<std::byte> out) const;
    int number() const { return file_.number(); }

private:
    std::string path_;
    Descriptor file_;
    std::size_t size_ = 0;
};

/// The bytes of a regular file in memory that is read-only and shared by all processes that map the file. They stay
/// when the file is removed or replaced; a file that is truncated in place ends the process that reads them.
/// Throws FileError as InputFile does, and where the file cannot be mapped.
class MappedFile {
public:
    explicit MappedFile(const std::string& path);
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();
    std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(memory_), size_}; }

private:
    void* memory_ = nullptr;
    std::size_t size_ = 0;
};

/// Puts a file with these pieces, one after the other, in the place of path: temporary file in the same
/// folder, write, fsync, rename, fsync of the folder. The old file's mode is kept and a symbolic link stays one.
/// Removes the temporary files that killed saves left in the folder.
/// Throws FileError "save: ..." and leaves the old file as it was when the system refuses.
void replace_file(const std::string& path, std::span<const std::string_view> pieces);

}  // namespace cmlp::inline v0_1
