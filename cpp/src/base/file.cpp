// Reading at a place, mapping and atomic replacement of a file, with POSIX calls.
#include "base/file.hpp"

#include <cmlp/base/error.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <system_error>

namespace cmlp::inline v0_1 {
namespace {

void check(bool good, const char* action, const std::string& path) {
    if (!good)
        throw FileError(std::string(action) + " " + path + ": " + std::generic_category().message(errno));
}

template <class... Parts>
void require_file(bool good, const Parts&... parts) {
    try {
        require(good, parts...);
    } catch (const std::invalid_argument& error) {
        throw FileError(error.what());
    }
}

constexpr std::string_view temporary_prefix = ".cmlp-";

// The time distinguishes this process from an earlier one with the same number that was killed while it wrote.
std::string unique_name() {
    static std::atomic<unsigned> counter = 0;
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    const std::string process = std::to_string(::getpid()), time = std::to_string(now);
    return std::string(temporary_prefix) + process + "-" + time + "-" + std::to_string(counter++);
}

bool is_unique_name(std::string_view name) {
    if (!name.starts_with(temporary_prefix)) return false;
    name.remove_prefix(temporary_prefix.size());
    return name.find_first_not_of("0123456789-") == name.npos && std::ranges::count(name, '-') == 2;
}

// Removes the temporary files of killed saves. Those of saves that are running are locked. (std::filesystem's iterator
// ends the process when it gets no memory.)
void remove_leftovers(const std::filesystem::path& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
    while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
        if (!is_unique_name(entry->d_name)) continue;
        const std::filesystem::path path = folder / entry->d_name;
        const Descriptor file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
        if (file.number() >= 0 && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
    }
}

// A locked temporary file that disappears unless it was moved into place.
class Temporary {
public:
    Temporary(const std::filesystem::path& target, const std::filesystem::path& folder, mode_t mode)
        : target_(target.string()), file_(create(folder, mode)) {}
    ~Temporary() {
        if (file_.number() >= 0 && !moved_) ::unlink(path_.c_str());
    }
    int number() const { return file_.number(); }

    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t done = ::write(number(), bytes.data(), bytes.size());
            if (done < 0 && errno == EINTR) continue;
            check(done >= 0, "save: cannot write", target_);
            bytes.remove_prefix(static_cast<std::size_t>(done));
        }
    }

    void move_into_place() {
        check(::fsync(number()) == 0, "save: cannot write", target_);
        check(::rename(path_.c_str(), target_.c_str()) == 0, "save: cannot replace", target_);
        moved_ = true;
    }

private:
    // Where another save removed the file before it was locked, the next one. Without locks on the file system no
    // save removes any.
    int create(const std::filesystem::path& folder, mode_t mode) {
        for (;;) {
            path_ = (folder / unique_name()).string();
            const int number = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
            check(number >= 0, "save: cannot create a file in", folder.string());
            struct stat status{};
            if (::flock(number, LOCK_EX) != 0 || ::fstat(number, &status) != 0 || status.st_nlink > 0)
                return number;
            ::close(number);
        }
    }

    std::string target_, path_;
    Descriptor file_;
    bool moved_ = false;
};

}  // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

InputFile::InputFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe must not block
    check(file_.number() >= 0, "load: cannot open", path);
    struct stat status{};
    check(::fstat(file_.number(), &status) == 0, "load: cannot open", path);
    require_file(S_ISREG(status.st_mode), "load: ", path, " is not a regular file");
    size_ = static_cast<std::size_t>(status.st_size);
}

void InputFile::read(std::size_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const ssize_t done = ::pread(file_.number(), out.data(), out.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        check(done >= 0, "load: cannot read", path_);
        require_file(done > 0, "load: ", path_, " became shorter while it was read");
        offset += static_cast<std::size_t>(done);
        out = out.subspan(static_cast<std::size_t>(done));
    }
}

MappedFile::MappedFile(const std::string& path) {
    const InputFile file(path);
    if (file.size() == 0) return;  // no memory can be mapped
    void* const memory = ::mmap(nullptr, file.size(), PROT_READ, MAP_SHARED, file.number(), 0);
    check(memory != MAP_FAILED, "load: mmap: cannot map", path);
    memory_ = memory;
    size_ = file.size();
}

MappedFile::~MappedFile() {
    if (memory_) ::munmap(memory_, size_);
}

void replace_file(const std::string& path, std::span<const std::string_view> pieces) {
    std::error_code ignored;
    std::filesystem::path target = path;
    if (std::filesystem::is_symlink(target, ignored))
        target = std::filesystem::weakly_canonical(target, ignored);
    require_file(!target.empty() && target.has_filename(), "save: '", path, "' is not the name of a file");
    struct stat old{};
    const bool exists = ::stat(target.c_str(), &old) == 0;
    require_file(!exists || S_ISREG(old.st_mode), "save: ", path, " is not a regular file");

    const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
    remove_leftovers(folder);
    Temporary temporary(target, folder, exists ? 0600 : 0666);  // 0666 less the umask, as for any new file
    for (const std::string_view piece : pieces) temporary.write(piece);
    if (exists)
        check(::fchmod(temporary.number(), old.st_mode & 07777) == 0, "save: cannot set the mode of", path);
    temporary.move_into_place();
    const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.number() >= 0)
        ::fsync(directory.number());  // some file systems refuse it; the data are safe
}

}  // namespace cmlp::inline v0_1
