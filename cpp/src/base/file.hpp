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

private:
    std::string path_;
    Descriptor file_;
    std::size_t size_ = 0;
};

/// Puts a file with these pieces, one after the other, in the place of path: temporary file in the same
/// folder, write, fsync, rename, fsync of the folder. The old file's mode is kept and a symbolic link stays one.
/// Removes the temporary files that killed saves left in the folder.
/// Throws FileError "save: ..." and leaves the old file as it was when the system refuses.
void replace_file(const std::string& path, std::span<const std::string_view> pieces);

}  // namespace cmlp::inline v0_1
