#include "core/media/location.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "tests/core/media/media_testing.h"

namespace longtake {
namespace {

using Kind = Location::Kind;
using testing_media::TemporaryFolder;

void put(const std::string& path, const std::string& text = "x") { std::ofstream(path) << text; }

TEST(Location, TakesAnExistingNameAsAFileWhateverCharactersItHas) {
  const TemporaryFolder folder;
  for (const std::string name :
       {"a:b.mp4", "http:x.mp4", "-dash.mp4", "100%d.png", "say \"hi\".mp4", "it's.mkv", "two\nlines.mp4",
        "\xc3\xbc\xe6\x97\xa5.mp4", " spaces .mp4", "back\\slash.mp4"}) {
    put(folder.file(name));
    const auto at = locate(folder.file(name));
    ASSERT_TRUE(at) << name;
    EXPECT_EQ(at->kind, Kind::kFile) << name;
    EXPECT_EQ(at->shown, name);
    EXPECT_EQ(at->quoted.find('\n'), std::string::npos);
  }
}

TEST(Location, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  const auto why = [](const std::string& uri) {
    auto at = locate(uri);
    EXPECT_FALSE(at);
    return at ? "" : at.error().message;
  };
  EXPECT_EQ(why(folder.file("none.mp4")),
            "cannot open \"" + folder.file("none.mp4") + "\": No such file or directory");
  EXPECT_EQ(why(folder.file("")), "cannot open \"" + folder.file("") + "\": it is a directory");
  put(folder.file("empty"), "");
  EXPECT_EQ(why(folder.file("empty")), "cannot open \"" + folder.file("empty") + "\": the file is empty");
  EXPECT_EQ(why(""), "cannot open \"\": the name is empty");
  EXPECT_EQ(why("a:b.mp4"), "cannot open \"a:b.mp4\": No such file or directory") << "a is no protocol";
  put(folder.file("secret"));
  chmod(folder.file("secret").c_str(), 0);
  if (geteuid() == 0) return;  // may read everything
  EXPECT_EQ(why(folder.file("secret")), "cannot open \"" + folder.file("secret") + "\": Permission denied");
}

TEST(Location, FindsTheNumbersOfASequence) {
  const TemporaryFolder folder;
  for (const char* name :
       {"p007.png", "p008.png", "p010.png", "p1000.png", "p0011.png", "p9.png", "p00x.png", "q007.png"}) {
    put(folder.file(name));
  }
  const auto padded = locate(folder.file("p%03d.png"));
  ASSERT_TRUE(padded);
  EXPECT_EQ(padded->kind, Kind::kSequence);
  EXPECT_EQ(padded->first_number, 7);
  EXPECT_EQ(padded->pictures, 4) << "007, 008, 010 and 1000, but neither 0011 nor 9";
  EXPECT_EQ(padded->shown, "p%03d.png");
  const auto plain = locate(folder.file("p%d.png"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->pictures, 2) << "9 and 1000";
  EXPECT_FALSE(locate(folder.file("r%03d.png")));
  EXPECT_FALSE(locate(folder.file("p%03d%03d.png"))) << "one number only";
  EXPECT_FALSE(locate(folder.file("p%3d.png"))) << "filled up with spaces";
  EXPECT_FALSE(locate(folder.file("p%s.png")));
}

TEST(Location, TellsUrlsFromNames) {
  for (const char* url :
       {"rtsp://camera/1", "http://host/a.mp4", "srt://host:9000", "udp://@239.0.0.1:1234", "concat:a|b"}) {
    const auto at = locate(url);
    ASSERT_TRUE(at) << url;
    EXPECT_EQ(at->kind, Kind::kUrl);
    EXPECT_EQ(at->path, url);
  }
  const TemporaryFolder folder;
  put(folder.file("clip.mp4"));
  for (const std::string prefix : {"file:", "file://"}) {
    const auto at = locate(prefix + folder.file("clip.mp4"));
    ASSERT_TRUE(at);
    EXPECT_EQ(at->kind, Kind::kFile);
    EXPECT_EQ(at->path, folder.file("clip.mp4"));
    EXPECT_EQ(at->shown, "clip.mp4");
  }
}

TEST(Location, SeesPipes) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  const auto at = locate(folder.file("pipe"));
  ASSERT_TRUE(at);
  EXPECT_EQ(at->kind, Kind::kPipe);
}

TEST(Location, SeesCameras) {
  const TemporaryFolder folder;
  const std::string camera = folder.file("camera"), sound = folder.file("sound");
  if (mknod(camera.c_str(), S_IFCHR | 0600, makedev(81, 3)) != 0) GTEST_SKIP() << "no device can be made here";
  ASSERT_EQ(mknod(sound.c_str(), S_IFCHR | 0600, makedev(116, 3)), 0);
  const auto at = locate(camera), other = locate(sound);
  ASSERT_TRUE(at && other);
  EXPECT_EQ(at->kind, Kind::kCamera);
  EXPECT_EQ(at->shown, "camera");
  EXPECT_EQ(other->kind, Kind::kPipe);
  EXPECT_TRUE(names_camera(camera));
  EXPECT_FALSE(names_camera(sound));
  EXPECT_TRUE(names_camera("/dev/video63")) << "it may be plugged in later";
  EXPECT_FALSE(names_camera("rtsp://camera/dev/video0"));
}

TEST(WithoutSecrets, HidesUsersPasswordsAndQueries) {
  EXPECT_EQ(without_secrets("rtsp://user:secret@camera:554/stream1"), "rtsp://***@camera:554/stream1");
  EXPECT_EQ(without_secrets("rtsp://user@camera/1"), "rtsp://***@camera/1");
  EXPECT_EQ(without_secrets("http://h/p@th/a.mp4"), "http://h/p@th/a.mp4");
  EXPECT_EQ(without_secrets("https://h/a.m3u8?token=secret&b=1"), "https://h/a.m3u8?***");
  EXPECT_EQ(without_secrets("srt://host:9000?passphrase=secret"), "srt://host:9000?***");
  EXPECT_EQ(without_secrets("rtsp://u:p@ss@host/1"), "rtsp://***@host/1");
  EXPECT_EQ(without_secrets("rtsp://user:sec/ret@host/1"), "rtsp://***@host/1") << "an unescaped slash";
  EXPECT_EQ(without_secrets("concat:http://a:b@h/1|http://c:d@h/2"), "concat:http://***@h/1|http://***@h/2");
  EXPECT_EQ(without_secrets("http://[::1]:8080/a"), "http://[::1]:8080/a");
  EXPECT_EQ(without_secrets("http://[fe80::1]/a@b"), "http://[fe80::1]/a@b");
  EXPECT_EQ(without_secrets("udp://@239.0.0.1:1234"), "udp://***@239.0.0.1:1234");
}

TEST(WithoutSecrets, LeaveNoTraceInALocation) {
  const auto at = locate("rtsp://user:hunter2@host/x?key=hunter2");
  ASSERT_TRUE(at);
  EXPECT_EQ(at->shown.find("hunter2"), std::string::npos);
  EXPECT_EQ(at->quoted.find("hunter2"), std::string::npos);
}

TEST(QuotedName, StaysOneLine) {
  EXPECT_EQ(quoted_name("a\nb\t\"c\"\\\x7f\x01"), R"("a\nb\x09\"c\"\\\x7f\x01")");
  EXPECT_EQ(quoted_name("\xc3\xbc"), "\"\xc3\xbc\"");
}

}  // namespace
}  // namespace longtake
