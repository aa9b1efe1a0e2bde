# Run while installing, after config/CMakeLists.txt has set what is used here: units, pages and the example for cron name the
# programs by their whole paths, in the source tree those of an installation below /usr. They get those of this one, whose
# prefix only `cmake --install` knows.
set(prefix "${CMAKE_INSTALL_PREFIX}")
cmake_path(ABSOLUTE_PATH prefix NORMALIZE)  # `cmake --install` may be given one that counts from where it is called
foreach(directory bin libexec units man examples)
  cmake_path(ABSOLUTE_PATH ${directory} BASE_DIRECTORY "${prefix}" NORMALIZE)
endforeach()
string(RANDOM LENGTH 8 run)  # a package may be made from the same folder at the same time
set(scratch "${scratch}.${run}")

# place(FROM FOLDER [NAME]): the file goes to FOLDER, under its own name if no other is given.
function(place from folder)
  cmake_path(GET from FILENAME name)
  if(ARGC GREATER 2)
    set(name "${ARGV2}")
  endif()
  file(READ "${from}" text)
  string(REPLACE /usr/libexec/pgtandem/ "${libexec}/pgtandem/" text "${text}")
  string(REPLACE /usr/bin/pgtandem "${bin}/pgtandem" text "${text}")
  file(WRITE "${scratch}/${name}" "${text}")
  file(INSTALL DESTINATION "${folder}" TYPE FILE FILES "${scratch}/${name}")
  set(CMAKE_INSTALL_MANIFEST_FILES "${CMAKE_INSTALL_MANIFEST_FILES}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE found RELATIVE "${source}/config/systemd" "${source}/config/systemd/*")
foreach(unit ${found})
  set(to "${units}/${unit}")
  cmake_path(GET to PARENT_PATH folder)
  place("${source}/config/systemd/${unit}" "${folder}")
endforeach()
foreach(section 1 5 7)
  file(GLOB found "${source}/man/*.${section}")
  foreach(page ${found})
    place("${page}" "${man}/man${section}")
  endforeach()
endforeach()
place("${source}/config/cron.d/pgtandem" "${examples}" pgtandem.cron)
file(REMOVE_RECURSE "${scratch}")
