# The Debian package, made by `cpack -G DEB` in the build folder: user and directories by systemd-sysusers and
# systemd-tmpfiles, one conffile, and units that an administrator enables. finish.cmake makes of the installed tree what
# Debian's policy wants of it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pgtandem)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR pgtandem)
set(CPACK_PACKAGE_CONTACT "pgtandem <noreply@pgtandem.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "keep tables of a backup PostgreSQL database equal to a primary one")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Every committed transaction of the chosen tables arrives on the backup
once, whole and in commit order, whatever dies on the way. A change is a
line of JSON, the queue is a directory, a pass is a pipeline: each step can
be looked at with jq, ls and man.
.
Full passes compare both sides, mend what differs and prove them equal.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Beside the shared libraries: what the scripts run that is not essential, and what makes user and directories.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "jq, systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql (>= 10), prometheus, cron")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(script postinst prerm postrm conffiles)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/${script})
endforeach()
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/finish.cmake)
set(CPACK_PGTANDEM_CONFIG ${CMAKE_CURRENT_SOURCE_DIR})
include(CPack)
